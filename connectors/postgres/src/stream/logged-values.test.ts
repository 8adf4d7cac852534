/** A value is the same whether a full copy or the log brings it, type by type. */
import { UNCHANGED } from '@sluice/sdk';
import { describeWithServer, psql } from '@sluice/test';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PostgresSource } from '../source/postgres-source.js';
import { openSource } from '../testing/open.js';
import { LogJob } from '../testing/read-log.js';
import { planRead, planSplits, readRows } from '../testing/read-split.js';
import { TYPE_CASES } from '../testing/type-cases.js';

for (const [name, version] of [
  ['postgres-15', 15],
  ['postgres-14', 14],
  ['postgres-17', 17],
  ['postgres-18', 18],
] as const) {
  describeWithServer(name, (server) => {
    const cases = TYPE_CASES.map((each, i) => ({ ...each, schema: `case_${i}` })).filter(
      ({ since = 0 }) => since <= version,
    );
    let source: PostgresSource;
    let url: string;
    let job: LogJob;

    beforeAll(async () => {
      url = await server().createDatabase();
      source = openSource(url, { slot: `values_${version}` });
      const create = cases.map(
        ({ schema, type, setup = '' }) =>
          `CREATE SCHEMA ${schema}; SET search_path = ${schema}, public; ${setup}; CREATE TABLE t (id integer PRIMARY KEY, v ${type});`,
      );
      await psql(url, create.join('\n'));
      job = await LogJob.begin(source, ...cases.map(({ schema }) => `${schema}.t`));
      const insert = cases.map(
        ({ schema, values }) => `SET search_path = ${schema}, public; INSERT INTO t VALUES
          ${[...values, 'NULL'].map((value, i) => `(${i}, ${value})`).join(', ')};`,
      );
      await psql(url, insert.join('\n'));
    });
    afterAll(() => source?.close());

    it('every type', async () => {
      const logged = await job.rows();
      for (const { schema, type } of cases) {
        const stream = `${schema}.t`;
        const read = await planRead(source, stream);
        const [split] = await planSplits(source, read);
        const copied = await readRows(source, read, split!);
        const rows = logged.filter((change) => change.stream === stream);
        expect(
          rows.map(({ op }) => op),
          type,
        ).toEqual(copied.map(() => 'insert'));
        expect(
          rows.map(({ row }) => [row['id'], row['v']]),
          type,
        ).toEqual(copied);
      }
    });

    it('generated columns, which the log may leave out', async () => {
      const database = await server().createDatabase();
      const long = "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 1000) i)";
      await psql(
        database,
        `CREATE TABLE t (id integer PRIMARY KEY, a integer, long text, ip inet,
           twice integer GENERATED ALWAYS AS (a * 2) STORED, size integer GENERATED ALWAYS AS (length(long)) STORED,
           net inet GENERATED ALWAYS AS (broadcast(ip)) STORED, one integer GENERATED ALWAYS AS (1) STORED)`,
      );
      const own = openSource(database, { slot: `generated_${version}` });
      const made = await LogJob.begin(own, 'public.t');
      await psql(
        database,
        `INSERT INTO t VALUES (1, 21, ${long}, '10.1.2.3/8'), (2, NULL, NULL, NULL); UPDATE t SET a = 4 WHERE id = 1`,
      );
      const rows = await made.rows();
      await own.close();
      const size = version < 18 ? UNCHANGED : 32_000;
      expect(rows.map(({ row }) => [row['twice'], row['size'], row['net'], row['one']])).toEqual([
        [42, 32_000, '10.255.255.255/8', 1],
        [null, null, null, 1],
        [8, size, '10.255.255.255/8', 1],
      ]);
    });
  });
}
