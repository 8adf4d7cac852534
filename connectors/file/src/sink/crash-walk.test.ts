import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalStorage, type Storage } from '@sluice/formats';
import { Batch, type Epoch, isSluiceError, type SinkRecord, type TablePlan } from '@sluice/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ALL,
  context,
  KINDS,
  newLedger,
  run,
  SPLITS,
  schema,
  sinkOver,
  visible,
} from '../testing/sink-walk.js';

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

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-file-sink-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe.each(KINDS)('$name', (kind) => {
  const { write, isFile, stride } = kind;
  const place = () => new LocalStorage(root);

  it('a crash at every step, and at every step of the run after it, ends in the same rows', async () => {
    const counting = dying(place(), 0, false);
    await run(sinkOver(root, counting.storage, isFile), newLedger(), kind);
    expect(visible(root, isFile)).toEqual(ALL);
    const steps = counting.count();
    expect(steps).toBeGreaterThan(25);
    for (let first = 1; first <= steps; first += stride) {
      for (const after of [false, true]) {
        // After each first crash one second one; together they meet every pair of places in the course of the loop.
        for (const second of [0, 1 + ((first * 7 + (after ? 3 : 0)) % steps)]) {
          rmSync(root, { recursive: true, force: true });
          const ledger = newLedger();
          await expect(
            run(sinkOver(root, dying(place(), first, after).storage, isFile), ledger, kind),
          ).rejects.toThrow();
          if (second > 0) {
            await run(sinkOver(root, dying(place(), second, !after).storage, isFile), ledger, kind).catch(
              () => {},
            );
          }
          await run(sinkOver(root, place(), isFile), ledger, kind);
          expect(
            visible(root, isFile),
            `crash ${after ? 'after' : 'before'} step ${first}, then at ${second}`,
          ).toEqual(ALL);
        }
      }
    }
  }, 240_000);

  it('a lost ledger follows the record that lies with the files', async () => {
    const counting = dying(place(), 0, false);
    await run(sinkOver(root, counting.storage, isFile), newLedger(), kind);
    for (let step = 1; step <= counting.count(); step += stride) {
      rmSync(root, { recursive: true, force: true });
      await run(sinkOver(root, dying(place(), step, true).storage, isFile), newLedger(), kind).catch(
        () => {},
      );
      const fresh = { ...newLedger(), fence: 100n };
      await run(sinkOver(root, place(), isFile), fresh, kind);
      expect(visible(root, isFile), `ledger lost after step ${step}`).toEqual(ALL);
    }
  }, 120_000);

  it('a second generation replaces the first as a whole, and a third run changes nothing', async () => {
    if (write === 'append') return expect(write).toBe('append');
    const ledger = newLedger();
    await run(sinkOver(root, place(), isFile), ledger, kind);
    ledger.generation = 2;
    ledger.positions.clear();
    await run(sinkOver(root, place(), isFile), ledger, kind);
    await run(sinkOver(root, place(), isFile), ledger, kind);
    expect(visible(root, isFile)).toEqual(ALL);
  });
});

describe('a run that was taken over', () => {
  it('can prepare, commit and publish nothing', async () => {
    const sink = sinkOver(root, new LocalStorage(root), false);
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
    await writer.write(Batch.ofRows(schema, [{ id: 1, odd: true }]));
    const token = await writer.prepare(epoch);

    const found = await sink.attach({ ...old, fence: 2n }, context);
    expect(found).toMatchObject({ fence: 1n, source: 'src', streams: base.streams });
    const isFenced = (error: unknown) => isSluiceError(error) && error.code === 'SLUICE-FILESINK-0001';
    await expect(writer.commit(token)).rejects.toSatisfy(isFenced);
    await expect(writer.write(Batch.ofRows(schema, [{ id: 2, odd: false }]))).rejects.toSatisfy(isFenced);
    await expect(sink.publish(old, table, 1, { allowEmpty: true }, context)).rejects.toThrow();
    await expect(sink.adopt(old, base, context)).rejects.toThrow();
    expect(await sink.recover({ ...old, fence: 2n }, [token], context)).toEqual(['committable']);
    expect(
      await sink.recover({ ...old, fence: 2n }, [{ ...token, name: 'nonsense', number: 9 }], context),
    ).toEqual(['lost']);
    expect((await sink.attach({ ...old, fence: 2n }, context))?.fence).toBe(2n);
  });
});
