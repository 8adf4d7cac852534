/**
 * Compares one stream with its target. Everything is read once, in bounded memory, into sums by bucket. Buckets that
 * differ are looked at again, in groups of so many rows as there is memory for; what still differs is looked at once
 * more, and counts as different when nothing of it has changed in between. So a row on its way is no difference.
 */
import type { Batch } from '@sluice/sdk';
import { BucketSums, groupsOf } from './bucket-sums.js';
import type { ComparedTable } from './compared-table.js';
import type { ComparedStream, Difference, StreamComparison, VerifyEvent } from './differences.js';
import { type LeftOver, type Look, look, wantedRows } from './look.js';
import { bucketOf, rowTexts, type Side, wholeText } from './row-texts.js';
import { textDigest } from './text-digest.js';
import type { TwoSides } from './two-sides.js';

export interface StreamOptions {
  readonly of: ComparedStream;
  readonly sides: TwoSides;
  readonly table: ComparedTable;
  /** Resolves when the target has all that the source had at the call. */
  readonly caughtUp: () => Promise<void>;
  /** Looks at which a row has to differ in the same way. */
  readonly looks: number;
  /** Rows that are held at once. */
  readonly groupRows: number;
  /** Differences that are told one by one. */
  readonly limit: number;
  /** Makes rows of the target as they should be: rows that it lacks or has otherwise, and those that it should not have. */
  readonly repair?: (rows: AsyncIterable<Batch>, surplus: AsyncIterable<Batch>) => Promise<number>;
  readonly listener: (event: VerifyEvent) => void;
}

/** Looks after which rows that differ in another way each time are left alone. */
const MOST_LOOKS = 10;

export async function verifyStream(o: StreamOptions): Promise<StreamComparison> {
  return new StreamVerifier(o).run();
}

/** A row that differs, and at how many looks in a row it has done so in this way. */
interface Suspect {
  readonly left: LeftOver;
  readonly looks: number;
}

class StreamVerifier {
  private readonly counts = { missing: 0, surplus: 0, different: 0, unsettled: 0, repaired: 0 };
  private told = 0;

  constructor(private readonly o: StreamOptions) {}

  async run(): Promise<StreamComparison> {
    const { of, table, groupRows, listener } = this.o;
    const source = await this.sums('source');
    const target = await this.sums('target');
    for (const buckets of groupsOf(source.differing(target), groupRows)) await this.group(buckets);
    const rows = { source: source.rows, target: target.rows };
    const comparison: StreamComparison = { event: 'stream', ...of, rows, ...this.counts, notes: table.notes };
    listener(comparison);
    return comparison;
  }

  private async sums(side: Side): Promise<BucketSums> {
    const { sides, table } = this.o;
    const sums = new BucketSums();
    for await (const batch of sides[side]()) {
      for (const text of rowTexts(table, side, batch)) sums.add(bucketOf(text), textDigest(wholeText(text)));
    }
    return sums;
  }

  private async group(buckets: ReadonlySet<number>): Promise<void> {
    const { looks } = this.o;
    let found = await look({ ...this.o, wanted: { buckets }, limit: 0 });
    let suspects = new Map(
      [...found.left].map(([key, left]): [string, Suspect] => [key, { left, looks: 1 }]),
    );
    const isOpen = () => [...suspects.values()].some((suspect) => suspect.looks < looks);
    for (let n = 2; n <= MOST_LOOKS && isOpen(); n++) {
      found = await look({ ...this.o, wanted: { keys: suspects }, limit: this.o.limit - this.told });
      const before = suspects;
      suspects = new Map(
        [...found.left].map(([key, left]): [string, Suspect] => {
          const last = before.get(key)!;
          return [key, { left, looks: isSame(last.left, left) ? last.looks + 1 : 1 }];
        }),
      );
    }
    const certain = new Map([...suspects].filter(([, suspect]) => suspect.looks >= looks));
    this.counts.unsettled += suspects.size - certain.size;
    for (const [key, { left }] of certain) this.count(key, left, found);
    if (certain.size > 0) await this.repair(certain);
  }

  private count(key: string, { source, target }: LeftOver, found: Look): void {
    const { table } = this.o;
    const different = table.keyed ? Math.min(source.length, target.length) : 0;
    this.counts.different += different;
    this.counts.missing += source.length - different;
    this.counts.surplus += target.length - different;
    const shown = found.shown.get(key);
    if (shown === undefined || this.told >= this.o.limit) return;
    if (different > 0) {
      const columns = table.columns.filter((_, i) => shown.source?.forms[i] !== shown.target?.forms[i]);
      this.tell(
        'different',
        shown.source ?? shown.target,
        columns.map(({ name }) => name),
      );
    } else {
      this.tell(source.length > 0 ? 'missing' : 'surplus', shown.source ?? shown.target, []);
    }
  }

  private tell(
    kind: Difference['kind'],
    row: { readonly json: Difference['row'] } | undefined,
    columns: string[],
  ) {
    if (row === undefined) return;
    this.told++;
    this.o.listener({ event: 'difference', ...this.o.of, kind, row: row.json, columns });
  }

  private async repair(certain: ReadonlyMap<string, Suspect>): Promise<void> {
    const { repair } = this.o;
    if (repair === undefined) return;
    const wrong = new Map([...certain].filter(([, { left }]) => left.source.length > 0));
    const surplus = new Map([...certain].filter(([, { left }]) => left.source.length === 0));
    this.counts.repaired += await repair(this.rows('source', wrong), this.rows('target', surplus));
  }

  /** The rows of some keys, as they are now. */
  private async *rows(side: Side, keys: ReadonlyMap<string, unknown>): AsyncGenerator<Batch> {
    const { sides, table } = this.o;
    if (keys.size === 0) return;
    for await (const batch of sides[side]()) {
      const rows = [...wantedRows(table, side, batch, { keys })].map(([, { row }]) => row);
      if (rows.length > 0) yield batch.select(Uint32Array.from(rows));
    }
  }
}

function isSame(a: LeftOver, b: LeftOver): boolean {
  return sameTexts(a.source, b.source) && sameTexts(a.target, b.target);
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  const others = [...b].sort();
  return [...a].sort().every((text, i) => text === others[i]);
}
