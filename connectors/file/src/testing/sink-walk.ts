/** A small job of the file sink, run as the engine runs one, for tests that stop it anywhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Storage } from '@sluice/formats';
import {
  Batch,
  type Context,
  type Epoch,
  type JsonObject,
  type Split,
  type SplitRecord,
  silentLogger,
  streamSchema,
  type TablePlan,
  type Token,
  types,
} from '@sluice/sdk';
import { fileConfig } from '../config.js';
import { FileSink, type FileSinkSettings } from '../sink/file-sink.js';
import type { PartFormat } from '../sink/part-format.js';

export const schema = streamSchema('s', [
  { name: 'id', type: types.int32, nullable: false },
  { name: 'odd', type: types.bool, nullable: false },
]);
export const SPLITS: Split[] = [
  { id: 's/0', streams: ['s'], phase: 'bulk', start: 0, spec: [1, 2, 3] },
  { id: 's/1', streams: ['s'], phase: 'bulk', start: 0, spec: [4] },
];
/** The ids of all rows. */
export const ALL = [1, 2, 3, 4];

/** A format whose files the test reads by itself: a number a line. */
const lines: PartFormat = {
  ending: '.txt',
  leastMemory: 1,
  open(_, out) {
    let bytes = 0;
    return {
      get bytes() {
        return bytes;
      },
      async write(batch) {
        const text = Buffer.from(
          batch
            .rows()
            .map((row) => `${Number(row['id'])}\n`)
            .join(''),
        );
        bytes += text.byteLength;
        await out(text);
      },
      async finish() {},
    };
  },
};

/** What a ledger would hold. */
export interface Ledger {
  fence: bigint;
  generation: number;
  positions: Map<string, SplitRecord>;
  prepared: Map<string, { token: Token; record: SplitRecord }>;
}

class TestSink extends FileSink {
  constructor(
    settings: FileSinkSettings,
    private readonly place: Storage,
  ) {
    super(settings);
  }
  protected override storage(): Storage {
    return this.place;
  }
}

export const context: Context = {
  signal: new AbortController().signal,
  log: silentLogger,
  cwd: '/',
  memory: 0,
};

/** The sink over a storage at `root`; into a folder, or into the file `out.txt`. */
export function sinkOver(root: string, storage: Storage, isFile: boolean): FileSink {
  const settings = {
    path: isFile ? join(root, 'out.txt') : root,
    isFile,
    format: lines,
    formatName: 'jsonl' as const,
    config: fileConfig.parse({ path: root }),
  };
  return new TestSink({ ...settings, rotation: { bytes: 1e9, rows: 1 } }, storage);
}

export function newLedger(): Ledger {
  return { fence: 0n, generation: 1, positions: new Map(), prepared: new Map() };
}

/** The steps of a run, as the engine takes them. */
export async function run(
  sink: FileSink,
  ledger: Ledger,
  { write, options = {} }: Pick<Kind, 'write' | 'options'>,
): Promise<void> {
  const job = { id: 'job/main/main', source: 'src', fence: ++ledger.fence };
  const record = await sink.attach(job, context);
  for (const [id, { token, record: reached }] of [...ledger.prepared]) {
    const [state] = await sink.recover(job, [token], context);
    if (state === 'committable') await sink.commitPrepared(job, [token], context);
    if (state !== 'lost') ledger.positions.set(id, reached);
    ledger.prepared.delete(id);
  }
  for (const [id, theirs] of Object.entries(record?.splits ?? {})) {
    if (theirs.generation === ledger.generation && theirs.epoch > (ledger.positions.get(id)?.epoch ?? 0)) {
      ledger.positions.set(id, theirs);
    }
  }
  if (record?.streams['s']?.published && record.streams['s'].generation === ledger.generation) return;
  const { generation } = ledger;
  const splits: { [id: string]: SplitRecord } = {};
  for (const split of SPLITS) {
    splits[split.id] = ledger.positions.get(split.id) ?? {
      split,
      generation,
      epoch: 0,
      position: 0,
      sealed: false,
    };
  }
  await sink.adopt(job, { streams: { s: { generation, published: false } }, splits }, context);
  const [table] = (await sink.plan(
    [{ stream: 's', target: 'out', schema, read: 'full', write, save: 'keep', options, encodings: [] }],
    context,
  )) as [TablePlan];
  await sink.applySchema(job, table, generation, context);
  for (const split of SPLITS) {
    const at = splits[split.id]!;
    if (at.sealed) continue;
    const writer = await sink.open({ job, split, generation, tables: [table] }, context);
    const ids = split.spec as number[];
    let number = at.epoch;
    for (let i = at.position as number; i < ids.length; i++) {
      await writer.write(Batch.ofRows(schema, [{ id: ids[i]!, odd: ids[i]! % 2 === 1 }]));
      if (i % 2 === 0 && i + 1 < ids.length) continue;
      const sealed = i + 1 === ids.length;
      const epoch: Epoch = {
        split,
        number: ++number,
        generation,
        fence: job.fence,
        version: 0n,
        position: i + 1,
        sealed,
      };
      const token = await writer.prepare(epoch);
      const reached = { split, generation, epoch: number, position: i + 1, sealed };
      ledger.prepared.set(split.id, { token, record: reached });
      await writer.commit(token);
      ledger.positions.set(split.id, reached);
      ledger.prepared.delete(split.id);
    }
    await writer.close();
  }
  await sink.publish(job, table, generation, { allowEmpty: false }, context);
}

/** The ids that readers of `root` see, sorted; none where there is nothing yet. */
export function visible(root: string, isFile: boolean): number[] {
  const folder = isFile ? root : join(root, 'out');
  const names = existsSync(folder) ? readdirSync(folder, { recursive: !isFile, encoding: 'utf8' }) : [];
  const files = names
    .filter((name) => (isFile ? name === 'out.txt' : basename(name).startsWith('part-')))
    .map((name) => join(folder, name));
  const text = files.map((file) => readFileSync(file, 'utf8')).join('');
  return text
    .split('\n')
    .filter(Boolean)
    .map(Number)
    .sort((a, b) => a - b);
}

export interface Kind {
  readonly name: string;
  readonly write: 'append' | 'replace';
  readonly isFile: boolean;
  readonly options?: JsonObject;
  /** Of so many steps one is the last: partitions take the same ones as folders, in more folders. */
  readonly stride: number;
}

const options = { partitionBy: ['odd'] };
export const KINDS: readonly Kind[] = [
  { name: 'append to a folder', write: 'append', isFile: false, stride: 1 },
  { name: 'replace a folder', write: 'replace', isFile: false, stride: 1 },
  { name: 'replace one file', write: 'replace', isFile: true, stride: 1 },
  { name: 'append to partitions', write: 'append', isFile: false, options, stride: 7 },
  { name: 'replace partitions', write: 'replace', isFile: false, options, stride: 7 },
];
