import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalStorage, type Storage } from '@sluice/formats';
import {
  Batch,
  type Context,
  type Epoch,
  isSluiceError,
  type SinkRecord,
  type Split,
  type SplitRecord,
  silentLogger,
  streamSchema,
  type TablePlan,
  type Token,
  types,
} from '@sluice/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileSink, type FileSinkSettings } from './file-sink.js';
import type { PartFormat } from './part-format.js';

const schema = streamSchema('s', [{ name: 'id', type: types.int32, nullable: false }]);
const SPLITS: Split[] = [
  { id: 's/0', streams: ['s'], phase: 'bulk', start: 0, spec: [1, 2, 3] },
  { id: 's/1', streams: ['s'], phase: 'bulk', start: 0, spec: [4] },
];
const ALL = [1, 2, 3, 4];

/** A format whose files the test reads by itself: a number a line. */
const lines: PartFormat = {
  ending: '.txt',
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

class Crash extends Error {}

/** A storage that dies at the n-th step that changes something, before or after it took effect. */
function dying(storage: Storage, at: number, after: boolean): { storage: Storage; count: () => number } {
  let steps = 0;
  let dead = false;
  const changing = new Set(['put', 'create', 'makeFolder', 'makeFolderIn', 'rename', 'remove']);
  const proxy = new Proxy(storage, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (dead) throw new Crash();
        const step = () => Reflect.apply(value, target, args) as unknown;
        if (!changing.has(name as string) || ++steps !== at) return step();
        dead = true;
        if (!after) throw new Crash();
        return Promise.resolve(step()).then(() => {
          throw new Crash();
        });
      };
    },
  });
  return { storage: proxy, count: () => steps };
}

/** What a ledger would hold. */
interface Ledger {
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

const context: Context = { signal: new AbortController().signal, log: silentLogger, cwd: '/', memory: 0 };

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-file-sink-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function sinkOver(storage: Storage, isFile: boolean): FileSink {
  const settings = {
    path: isFile ? join(root, 'out.txt') : root,
    isFile,
    format: lines,
    formatName: 'jsonl' as const,
  };
  return new TestSink({ ...settings, rotation: { bytes: 1e9, rows: 1 } }, storage);
}

function newLedger(): Ledger {
  return { fence: 0n, generation: 1, positions: new Map(), prepared: new Map() };
}

/** The steps of a run, as the engine takes them. */
async function run(
  sink: FileSink,
  ledger: Ledger,
  write: 'append' | 'replace',
  isFile = false,
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
    [{ stream: 's', target: 'out', schema, read: 'full', write, save: 'keep', options: {}, encodings: [] }],
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
      await writer.write(Batch.ofRows(schema, [{ id: ids[i]! }]));
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
  if (isFile) expect(readdirSync(root)).toContain('out.txt');
}

function visible(isFile: boolean): number[] {
  const files = isFile
    ? ['out.txt']
    : readdirSync(join(root, 'out'))
        .filter((name) => name.startsWith('part-'))
        .map((n) => join('out', n));
  const text = files.map((file) => readFileSync(join(root, file), 'utf8')).join('');
  return text
    .split('\n')
    .filter(Boolean)
    .map(Number)
    .sort((a, b) => a - b);
}

const KINDS = [
  { name: 'append to a folder', write: 'append', isFile: false },
  { name: 'replace a folder', write: 'replace', isFile: false },
  { name: 'replace one file', write: 'replace', isFile: true },
] as const;

describe.each(KINDS)('$name', ({ write, isFile }) => {
  const place = () => new LocalStorage(root);

  it('a crash at every step, and at every step of the run after it, ends in the same rows', async () => {
    const counting = dying(place(), 0, false);
    await run(sinkOver(counting.storage, isFile), newLedger(), write, isFile);
    expect(visible(isFile)).toEqual(ALL);
    const steps = counting.count();
    expect(steps).toBeGreaterThan(25);
    for (let first = 1; first <= steps; first++) {
      for (const after of [false, true]) {
        // After each first crash one second one; together they meet every pair of places in the course of the loop.
        for (const second of [0, 1 + ((first * 7 + (after ? 3 : 0)) % steps)]) {
          rmSync(root, { recursive: true, force: true });
          const ledger = newLedger();
          await expect(
            run(sinkOver(dying(place(), first, after).storage, isFile), ledger, write, isFile),
          ).rejects.toThrow();
          if (second > 0) {
            await run(sinkOver(dying(place(), second, !after).storage, isFile), ledger, write, isFile).catch(
              () => {},
            );
          }
          await run(sinkOver(place(), isFile), ledger, write, isFile);
          expect(
            visible(isFile),
            `crash ${after ? 'after' : 'before'} step ${first}, then at ${second}`,
          ).toEqual(ALL);
        }
      }
    }
  }, 240_000);

  it('a lost ledger follows the record that lies with the files', async () => {
    const counting = dying(place(), 0, false);
    await run(sinkOver(counting.storage, isFile), newLedger(), write, isFile);
    for (let step = 1; step <= counting.count(); step++) {
      rmSync(root, { recursive: true, force: true });
      await run(sinkOver(dying(place(), step, true).storage, isFile), newLedger(), write, isFile).catch(
        () => {},
      );
      const fresh = { ...newLedger(), fence: 100n };
      await run(sinkOver(place(), isFile), fresh, write, isFile);
      expect(visible(isFile), `ledger lost after step ${step}`).toEqual(ALL);
    }
  }, 120_000);

  it('a second generation replaces the first as a whole, and a third run changes nothing', async () => {
    if (write === 'append') return expect(write).toBe('append');
    const ledger = newLedger();
    await run(sinkOver(place(), isFile), ledger, write, isFile);
    ledger.generation = 2;
    ledger.positions.clear();
    await run(sinkOver(place(), isFile), ledger, write, isFile);
    await run(sinkOver(place(), isFile), ledger, write, isFile);
    expect(visible(isFile)).toEqual(ALL);
  });
});

describe('a run that was taken over', () => {
  it('can prepare, commit and publish nothing', async () => {
    const sink = sinkOver(new LocalStorage(root), false);
    const old = { id: 'job/main/main', source: 'src', fence: 1n };
    expect(await sink.attach(old, context)).toBeUndefined();
    const split = SPLITS[0]!;
    const base: Pick<SinkRecord, 'streams' | 'splits'> = {
      streams: { s: { generation: 1, published: false } },
      splits: { 's/0': { split, generation: 1, epoch: 0, position: 0, sealed: false } },
    };
    await sink.adopt(old, base, context);
    const request = {
      stream: 's',
      target: 'out',
      schema,
      read: 'full',
      write: 'replace',
      save: 'keep',
      options: {},
      encodings: [],
    } as const;
    const [table] = (await sink.plan([request], context)) as [TablePlan];
    await sink.applySchema(old, table, 1, context);
    const writer = await sink.open({ job: old, split, generation: 1, tables: [table] }, context);
    const epoch: Epoch = {
      split,
      number: 1,
      generation: 1,
      fence: 1n,
      version: 0n,
      position: 1,
      sealed: false,
    };
    await writer.write(Batch.ofRows(schema, [{ id: 1 }]));
    const token = await writer.prepare(epoch);

    const found = await sink.attach({ ...old, fence: 2n }, context);
    expect(found).toMatchObject({ fence: 1n, source: 'src', streams: base.streams });
    const isFenced = (error: unknown) => isSluiceError(error) && error.code === 'SLUICE-FILESINK-0001';
    await expect(writer.commit(token)).rejects.toSatisfy(isFenced);
    await expect(writer.write(Batch.ofRows(schema, [{ id: 2 }]))).rejects.toSatisfy(isFenced);
    await expect(sink.publish(old, table, 1, { allowEmpty: true }, context)).rejects.toThrow();
    await expect(sink.adopt(old, base, context)).rejects.toThrow();
    expect(await sink.recover({ ...old, fence: 2n }, [token], context)).toEqual(['committable']);
    expect(
      await sink.recover({ ...old, fence: 2n }, [{ ...token, name: 'nonsense', number: 9 }], context),
    ).toEqual(['lost']);
    expect((await sink.attach({ ...old, fence: 2n }, context))?.fence).toBe(2n);
  });
});
