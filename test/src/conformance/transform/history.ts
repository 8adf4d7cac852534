/** Histories of a keyed stream by chance, as sources send them, and a target that follows what comes out. */
import { type Batch, OPS, type Op, type Row, type StreamSchema, UNCHANGED } from '@sluice/sdk';
import { seededRandom } from '../../faults/seeded-random.js';
import { demand } from '../rule.js';
import { canonicalRow } from '../values/canonical.js';
import { rereadRows } from './rows-of.js';
import type { TransformSession } from './transform-subject.js';

/**
 * How much of a change is sent: `whole`, the row and the row as it was; `changed`, the values that have changed and the row as
 * it was; `keys`, the row, and of the row as it was no more than the key.
 */
export type Sent = 'whole' | 'changed' | 'keys';

/** A change as its source sends it. */
export interface Change {
  readonly op: Op;
  readonly row: Row;
  readonly before?: Row;
}

const STEPS = 80;
const BATCH_ROWS = 7;

/** The same history in each form, by the session's seed; none of a stream without a key. */
export function historyOf(session: TransformSession, sent: Sent): Batch[] {
  return batchesOf(session, changesOf(session, sent));
}

/** Changes in batches of different lengths. */
function batchesOf(session: TransformSession, changes: readonly Change[]): Batch[] {
  const random = seededRandom(session.seed + 1);
  const batches: Batch[] = [];
  for (let from = 0; from < changes.length; ) {
    const to = from + 1 + Math.floor(random() * BATCH_ROWS);
    batches.push(batchOf(session, changes.slice(from, to)));
    from = to;
  }
  return batches;
}

/** One batch of changes. */
export function batchOf(
  session: TransformSession,
  changes: readonly Change[],
  schema = session.schema,
): Batch {
  const op = Uint8Array.from(changes, (change) => OPS.indexOf(change.op));
  const nothing: Row = Object.fromEntries(schema.fields.map(({ name }) => [name, UNCHANGED]));
  const open: StreamSchema = { ...schema, fields: schema.fields.map((f) => ({ ...f, nullable: true })) };
  const images = changes.map(({ before }) => ({ ...nothing, ...before }));
  const before = changes.some((change) => change.before) && {
    before: session.batch(images, {}, open).derive(schema, all(schema)),
  };
  const rows = changes.map(({ row }) => ({ ...nothing, ...row }));
  return session.batch(rows, { op, ...before }, open).derive(schema, all(schema));
}

function all(schema: StreamSchema): number[] {
  return schema.fields.map((_, i) => i);
}

function changesOf({ schema, rows: pool, seed }: TransformSession, sent: Sent): Change[] {
  const { key, fields } = schema;
  if (key.length === 0) return [];
  const random = seededRandom(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const keyOf = (row: Row): Row => Object.fromEntries(key.map((name) => [name, row[name] ?? null]));
  const textOf = (row: Row) =>
    canonicalRow(
      fields.filter(({ name }) => key.includes(name)),
      row,
    );
  const image = (row: Row) => (sent === 'keys' ? keyOf(row) : row);
  const partOf = (row: Row, old: Row): Row => {
    if (sent !== 'changed') return row;
    const same = (name: string) => {
      const one = fields.filter((f) => f.name === name);
      return !key.includes(name) && canonicalRow(one, row) === canonicalRow(one, old);
    };
    return Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, same(name) ? UNCHANGED : value]),
    );
  };
  const held = new Map<string, Row>();
  const changes: Change[] = [];
  for (let step = 0; step < STEPS; step++) {
    const chosen = pick(pool);
    const old = held.get(textOf(chosen));
    const row = { ...pick(pool), ...keyOf(chosen) };
    const free = pool.filter((one) => !held.has(textOf(one)));
    const chance = random();
    if (old === undefined) {
      held.set(textOf(row), row);
      changes.push({ op: chance < 0.7 ? 'insert' : 'upsert', row });
    } else if (chance < 0.25) {
      held.delete(textOf(old));
      changes.push({ op: 'delete', row: keyOf(old), before: image(old) });
    } else if (chance < 0.5 && free.length > 0) {
      const moved = { ...row, ...keyOf(pick(free)) };
      held.delete(textOf(old));
      held.set(textOf(moved), moved);
      changes.push({ op: 'move', row: partOf(moved, old), before: image(old) });
    } else {
      held.set(textOf(row), row);
      const before = sent === 'keys' ? {} : { before: image(old) };
      changes.push({ op: chance < 0.85 ? 'update' : 'upsert', row: partOf(row, old), ...before });
    }
  }
  return changes;
}

/** The rows that a source has at the end of such a history. */
export function rowsAtTheEnd(session: TransformSession): Row[] {
  const target = new Target(session.schema.key, []);
  for (const batch of historyOf(session, 'whole')) target.follow(batch);
  return target.heldRows();
}

/** A keyed target that does what batches say. */
export class Target {
  private readonly held = new Map<string, { readonly stream: string; readonly row: Row }>();

  constructor(
    private readonly key: readonly string[],
    /** Columns that are not kept. */
    private readonly without: readonly string[],
  ) {}

  follow(batch: Batch): void {
    const { stream, before } = batch;
    const images = before && rereadRows(before);
    for (const [i, row] of rereadRows(batch).entries()) {
      const op = batch.opAt(i);
      const at = this.place(batch, row);
      const was = op === 'move' ? this.place(batch, this.imageOf(images, i)) : at;
      const kept = this.held.get(was)?.row;
      this.held.delete(was);
      if (op !== 'delete') this.held.set(at, { stream, row: this.filled(row, kept, `${op} of ${at}`) });
    }
  }

  heldRows(): Row[] {
    return [...this.held.values()].map(({ row }) => row);
  }

  /** One text a row. */
  texts(fields: StreamSchema['fields']): string[] {
    const kept = fields.filter(({ name }) => !this.without.includes(name));
    return [...this.held.values()].map(({ stream, row }) => `${stream}: ${canonicalRow(kept, row)}`);
  }

  private imageOf(images: readonly Row[] | undefined, i: number): Row {
    demand(images !== undefined, 'a move came without a row as it was before');
    return images[i]!;
  }

  private place({ schema, stream }: Batch, row: Row): string {
    const missing = this.key.find((name) => row[name] === UNCHANGED);
    demand(missing === undefined, `the key column ${missing} of a change is UNCHANGED`);
    return `${stream}: ${canonicalRow(
      schema.fields.filter(({ name }) => this.key.includes(name)),
      row,
    )}`;
  }

  private filled(row: Row, kept: Row | undefined, what: string): Row {
    const names = Object.keys(row).filter((name) => row[name] === UNCHANGED && !this.without.includes(name));
    demand(
      names.length === 0 || kept !== undefined,
      `${what} lacks ${names.join(', ')}, and there is no such row`,
    );
    return { ...row, ...Object.fromEntries(names.map((name) => [name, kept![name]!])) };
  }
}
