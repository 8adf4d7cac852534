/** Every type through source and sink on every rung, judged by psql on both sides. */
import { RUNGS } from '@sluice/sdk';
import { describeWithServer, psql } from '@sluice/test';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { postgresConfig } from './config.js';
import { PostgresSink } from './sink/postgres-sink.js';
import { PostgresSource } from './source/postgres-source.js';
import { copyStream } from './testing/copy-run.js';
import { TYPE_CASES, type TypeCase } from './testing/type-cases.js';

type SchemaCase = TypeCase & { readonly schema: string };

/** The cases that a version has, each with a schema for its types. */
function casesOf(version: number): SchemaCase[] {
  const cases = TYPE_CASES.map((each, i) => ({ ...each, schema: `case_${i}` }));
  return cases.filter(({ since = 0 }) => since <= version);
}

/** Types of a case in a schema of its own. */
function setupOf({ schema, setup = '' }: SchemaCase): string {
  return `CREATE SCHEMA ${schema}; SET search_path = ${schema}, public; ${setup};`;
}

interface Databases {
  from: string;
  to: string;
  source: PostgresSource;
  sink: PostgresSink;
}

/** Two empty databases of a server, opened before the tests and left after them. */
function databases(createDatabase: () => Promise<string>): Databases {
  const opened = {} as Databases;
  beforeAll(async () => {
    opened.from = await createDatabase();
    opened.to = await createDatabase();
    opened.source = new PostgresSource(postgresConfig.parse({ url: opened.from }));
    opened.sink = new PostgresSink(postgresConfig.parse({ url: opened.to }));
  });
  afterAll(async () => {
    await opened.source?.close();
    await opened.sink?.close();
  });
  return opened;
}

describeWithServer('postgres-15', (server) => {
  const db = databases(() => server().createDatabase());

  it.for(casesOf(15))('$type arrives as it left ($schema)', async (each: SchemaCase) => {
    const { schema, values, type } = each;
    const within = `SET search_path = ${schema}, public;`;
    const rows = [...values, 'NULL'].map((value, i) => `(${i}, ${value})`);
    const create = `CREATE TABLE t (id integer PRIMARY KEY, v ${type}); INSERT INTO t VALUES ${rows.join(', ')};`;
    const expected = await psql(db.from, `${setupOf(each)} ${create} SELECT id, v::text FROM t ORDER BY id`);
    await psql(db.to, setupOf(each));
    for (const rung of RUNGS) {
      const target = `${schema}.on_${rung}`;
      const { plan } = await copyStream({ ...db, stream: `${schema}.t`, target, write: 'replace', rung });
      expect(plan.types.map(({ verdict }) => verdict)).toEqual(['exact', 'exact']);
    }
    const shown = RUNGS.map(
      (rung) => `SELECT id, v::text FROM on_${rung} ORDER BY id;
        SELECT format_type(atttypid, atttypmod) FROM pg_attribute
        WHERE attrelid = 'on_${rung}'::regclass AND attname = 'v';`,
    );
    const arrived = await psql(db.to, `${within} ${shown.join(' ')}`);
    expect(arrived).toBe(RUNGS.map(() => `${expected}\n${type}`).join('\n'));
  });
});

for (const [name, version] of [
  ['postgres-14', 14],
  ['postgres-16', 16],
  ['postgres-17', 17],
  ['postgres-18', 18],
] as const) {
  describeWithServer(name, (server) => {
    const db = databases(() => server().createDatabase());

    it('all types arrive as they left, in one wide table', async () => {
      const cases = casesOf(version);
      const most = Math.max(...cases.map(({ values }) => values.length));
      const columns = cases.map(
        ({ schema, type, values }) => `SET search_path = ${schema}, public;
          ALTER TABLE public.wide ADD COLUMN c_${schema} ${type};
          ${values.map((value, i) => `UPDATE public.wide SET c_${schema} = ${value} WHERE id = ${i};`).join(' ')}`,
      );
      const texts = cases.map(({ schema }) => `c_${schema}::text`).join(', ');
      const create = `CREATE TABLE public.wide AS SELECT id FROM generate_series(0, ${most}) id;`;
      const setup = cases.map(setupOf).join(' ');
      const expected = await psql(
        db.from,
        `${setup} ${create} ${columns.join(' ')} SELECT id, ${texts} FROM public.wide ORDER BY id`,
      );
      await psql(db.to, setup);
      for (const rung of RUNGS) {
        const target = `public.on_${rung}`;
        await copyStream({ ...db, stream: 'public.wide', target, write: 'append', rung });
        expect(await psql(db.to, `SELECT id, ${texts} FROM ${target} ORDER BY id`)).toBe(expected);
      }
    });
  });
}
