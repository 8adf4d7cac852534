/** The first copy of a stream by key: rows go straight into the table, and those that cannot are merged. */
import type { Row, Split } from '@sluice/sdk';
import { describeWithServer, psql } from '@sluice/test';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { testContext } from '../testing/copy-run.js';
import { openSink } from '../testing/open.js';
import { batchOf, begin, jobOf, planFor, STREAM, split } from '../testing/sink-lane.js';
import type { PostgresSink } from './postgres-sink.js';

const job = jobOf(1n);
const COPY: Split = { ...split('copy'), distinct: true };
const LOG: Split = { id: 'log', streams: [STREAM], phase: 'log', start: null, spec: null };

describeWithServer('postgres-15', (server) => {
  let url: string;
  let sink: PostgresSink;

  beforeEach(async () => {
    url = await server().createDatabase();
    sink = openSink(url);
  });
  afterEach(() => sink.close());

  async function plan() {
    const table = await planFor(sink, { write: 'upsert' });
    await begin(sink, table, job);
    return table;
  }

  /** Writes one epoch; answers with the temporary tables that its writer has made. */
  async function write(of: Split, rows: readonly Row[], op: 'insert' | 'delete' = 'insert', number = 1) {
    const table = await planFor(sink, { write: 'upsert' });
    const writer = await sink.open({ job, split: of, generation: 1, tables: [table] }, testContext());
    if (writer.protocol !== 'atomic') throw new TypeError('the sink is atomic');
    try {
      await writer.write(batchOf(rows, table.schema, op));
      const made = await psql(
        url,
        "SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'",
      );
      const { fence } = job;
      await writer.commit({
        split: of,
        number,
        generation: 1,
        fence,
        version: fence << 40n,
        position: number,
        sealed: false,
      });
      return Number(made);
    } finally {
      await writer.close();
    }
  }

  const contents = () => psql(url, 'SELECT id, note FROM orders ORDER BY id');

  it('goes straight into the table that was made for it', async () => {
    await plan();
    expect(await write(COPY, [{ id: 1n, note: 'one' }])).toBe(0);
    expect(await write(COPY, [{ id: 2n, note: 'two' }], 'insert', 2)).toBe(0);
    expect(await contents()).toBe('1|one\n2|two');
  });

  it('is merged where the split does not say that its rows are new', async () => {
    await plan();
    expect(await write(split('copy'), [{ id: 1n, note: 'one' }])).toBe(1);
    await write(split('copy'), [{ id: 1n, note: 'again' }], 'insert', 2);
    expect(await contents()).toBe('1|again');
  });

  it('is merged where the table was there before, or the log is followed already', async () => {
    await psql(
      url,
      "CREATE TABLE orders (id bigint PRIMARY KEY, note text); INSERT INTO orders VALUES (1, 'old')",
    );
    await plan();
    await write(COPY, [{ id: 1n, note: 'one' }]);
    expect(await contents()).toBe('1|one');
    await psql(url, 'DROP TABLE orders, _sluice_jobs, _sluice_streams, _sluice_commits');
    await plan();
    await write(LOG, [{ id: 1n, note: 'from the log' }]);
    await write(COPY, [{ id: 1n, note: 'one' }]);
    expect(await contents()).toBe('1|one');
  });

  it.each([
    [
      'several rows with one key',
      [
        { id: 1n, note: 'one' },
        { id: 1n, note: 'last' },
      ],
      'insert',
      '1|last\n7|strange',
    ],
    ['a row that somebody else has written', [{ id: 7n, note: 'ours' }], 'insert', '7|ours'],
    ['a row that is deleted', [{ id: 7n, note: null }], 'delete', ''],
  ] as const)('is given up for %s, and merged when it comes again', async (_, rows, op, expected) => {
    await plan();
    await psql(url, "INSERT INTO orders VALUES (7, 'strange')");
    await expect(write(COPY, rows, op)).rejects.toMatchObject({ code: 'SLUICE-PG-0065', class: 'transient' });
    expect(await contents()).toBe('7|strange');
    await write(COPY, rows, op);
    expect(await contents()).toBe(expected);
  });
});
