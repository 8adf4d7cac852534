import { appendFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Batch,
  checkpoint,
  field,
  type Json,
  type Message,
  sdkErrors,
  streamSchema,
  types,
  UNCHANGED,
} from '@sluice/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Spool } from './spool.js';

const SCHEMA = streamSchema(
  's',
  [field('id', types.int64), field('name', types.string), field('tags', types.list(types.string))],
  ['id'],
);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-spool-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function rows(...ids: number[]): Batch {
  return Batch.ofRows(
    SCHEMA,
    ids.map((id) => ({ id: BigInt(id), name: id % 2 === 0 ? null : `row ${id}`, tags: ['a', null, 'ü'] })),
  );
}

/** Ids of rows and positions of checkpoints, from a position on. */
async function contents(spool: Spool, from: Json): Promise<unknown[]> {
  const found: unknown[] = [];
  let place = spool.placeOf(from);
  for (;;) {
    const next = await spool.next(place);
    if (next === undefined) return found;
    place = next.behind;
    const { message } = next;
    if (message.kind === 'batch') found.push(...message.rows().map(({ id }) => id));
    else if (message.kind === 'checkpoint') found.push(message.position);
  }
}

async function fill(spool: Spool, messages: readonly Message[], from: Json = null): Promise<void> {
  let at = from;
  for (const message of messages) {
    await spool.add(message, at);
    if (message.kind === 'checkpoint') at = message.position;
  }
}

describe('a spool', () => {
  it('gives back what was added, from any checkpoint, also to another process', async () => {
    const before = Batch.ofRows(SCHEMA, [{ id: 7n, name: UNCHANGED, tags: UNCHANGED }]);
    const error = sdkErrors.valueRefused('line 3 is no row', { details: { line: 3 } });
    const moved = Batch.ofRows(SCHEMA, [{ id: 8n, name: UNCHANGED, tags: [] }], {
      op: 'move',
      before,
      rejected: [{ before: 1, error, payload: { text: 'x' } }],
    });
    const spool = await Spool.open(folder);
    await fill(spool, [
      rows(1, 2),
      checkpoint({ n: 2 }),
      moved,
      { kind: 'clear', stream: 's' },
      checkpoint({ n: 3 }, true),
    ]);
    expect(await contents(spool, null)).toEqual([1n, 2n, { n: 2 }, 8n, { n: 3 }]);
    await spool.close();
    const again = await Spool.open(folder);
    expect(again.end).toEqual({ position: { n: 3 }, sealed: true });
    const first = await again.next(again.placeOf(null));
    expect((first!.message as Batch).rows()).toEqual(rows(1, 2).rows());
    const { message } = (await again.next(again.placeOf({ n: 2 })))!;
    const { op, rejected, ...batch } = message as Batch;
    expect(op).toBe('move');
    expect((message as Batch).rows()).toEqual([{ id: 8n, name: UNCHANGED, tags: [] }]);
    expect(batch.before!.rows()).toEqual([{ id: 7n, name: UNCHANGED, tags: UNCHANGED }]);
    expect(rejected).toMatchObject([
      {
        before: 1,
        payload: { text: 'x' },
        error: { code: error.code, class: 'data', message: error.message, details: { line: 3 } },
      },
    ]);
    await again.close();
  });

  it('ends at its last checkpoint, wherever a process died behind it', async () => {
    const spool = await Spool.open(folder);
    await fill(spool, [rows(1), checkpoint(1)]);
    const path = join(folder, (await readdir(folder))[0]!);
    const { size } = await stat(path);
    await fill(spool, [rows(2), rows(3), checkpoint(3)], 1);
    await spool.close();
    const whole = await readFile(path);
    for (let length = size; length < whole.length; length += 7) {
      await writeFile(path, whole.subarray(0, length));
      const torn = await Spool.open(folder);
      expect(torn.end).toEqual({ position: 1, sealed: false });
      expect(await contents(torn, null)).toEqual([1n, 1]);
      await fill(torn, [rows(9), checkpoint(9)], 1);
      expect(await contents(torn, 1)).toEqual([9n, 9]);
      await torn.close();
    }
  });

  it('does not take bytes for a record that are none', async () => {
    const spool = await Spool.open(folder);
    await fill(spool, [rows(1), checkpoint(1), rows(2), checkpoint(2)]);
    await spool.close();
    const path = join(folder, (await readdir(folder))[0]!);
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
    const damaged = await Spool.open(folder);
    expect(await contents(damaged, null)).toEqual([1n, 1]);
    await damaged.close();
    await truncate(path, 3);
    await appendFile(path, 'xx');
    const empty = await Spool.open(folder);
    expect(empty.end).toBeUndefined();
    await empty.close();
  });

  it('removes what everybody is behind, and says so to whoever is not', async () => {
    const big = 'x'.repeat(6 * 1024 * 1024);
    const large = (id: number) => Batch.ofRows(SCHEMA, [{ id: BigInt(id), name: big, tags: [] }]);
    const spool = await Spool.open(folder);
    for (let id = 1; id <= 8; id++) await fill(spool, [large(id), checkpoint(id)], id === 1 ? null : id - 1);
    const files = (await readdir(folder)).length;
    expect(files).toBeGreaterThan(2);
    await spool.forget(5);
    expect((await readdir(folder)).length).toBeLessThan(files);
    expect(await contents(spool, 5)).toEqual([6n, 6, 7n, 7, 8n, 8]);
    expect(() => spool.placeOf(1)).toThrowError(expect.objectContaining({ code: 'SLUICE-CORE-0140' }));
    await spool.close();
    const again = await Spool.open(folder);
    expect(await contents(again, 5)).toEqual([6n, 6, 7n, 7, 8n, 8]);
    await again.clear();
    expect(await readdir(folder)).toEqual([]);
  });

  it('says where it cannot be written', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(Spool.open(join(folder, 'file', 'spool'))).rejects.toMatchObject({
      code: 'SLUICE-CORE-0141',
    });
  });
});
