// The readers agree with each other on values that are easily bent: nulls, empty text, quotes, line breaks,
// decimals, big integers and instants.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../servers/command.js';
import { describeWithServer } from '../servers/describe-with-server.js';
import { skipUnless } from '../servers/skip-unless.js';
import { compareDumps } from './compare-dumps.js';
import { dumpDuckdb, dumpParquet } from './dump-duckdb.js';
import { dumpPostgres } from './dump-postgres.js';
import { pythonWithReaders } from './python-readers.js';

const select = `SELECT id, name, amount, big, CAST(moment AS varchar) AS moment FROM t ORDER BY id`;
const table = `CREATE TABLE t (id int, name varchar, amount decimal(20, 4), big bigint, moment timestamp);
  INSERT INTO t VALUES
    (1, 'plain', 1.5, 9223372036854775807, '2024-02-29 12:34:56.123456'),
    (2, NULL, NULL, NULL, NULL),
    (3, '', -0.0001, -9223372036854775808, '1969-12-31 23:59:59.999999'),
    (4, 'say "hi",' || chr(10) || 'ö 😀', 9999999999999999.9999, 0, '0001-01-01 00:00:00');`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-dumps-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function python(code: string, ...args: string[]): Promise<void> {
  await runCommand(await pythonWithReaders(), ['-c', code, ...args]);
}

describe('dumps by readers that are not ours', () => {
  const file = (name: string): string => join(folder, name);
  skipUnless('python-readers', () =>
    python(
      `import duckdb, sys
connection = duckdb.connect(sys.argv[1])
connection.execute(sys.argv[2])
connection.execute("COPY t TO '" + sys.argv[3] + "' (FORMAT parquet)")`,
      file('t.duckdb'),
      table,
      file('t.parquet'),
    ),
  );

  it('of a DuckDB file hold every value exactly', async () => {
    const { heading, rows } = await dumpDuckdb(file('t.duckdb'), `${select};`);
    expect(heading).toBe('id,name,amount,big,moment');
    expect(rows).toEqual([
      '"1","plain","1.5000","9223372036854775807","2024-02-29 12:34:56.123456"',
      '"2",,,,',
      '"3","","-0.0001","-9223372036854775808","1969-12-31 23:59:59.999999"',
      '"4","say ""hi"",\nö 😀","9999999999999999.9999","0","0001-01-01 00:00:00"',
    ]);
  });

  it.each(['pyarrow', 'duckdb'] as const)('of Parquet files are the same by %s', async (reader) => {
    const expected = await dumpDuckdb(file('t.duckdb'), select);
    const actual = await dumpParquet(file('*.parquet'), select.replace('FROM t', 'FROM files'), reader);
    expect(compareDumps(expected, actual)).toBe('');
  });

  it('fail when there are no such files, or the query is wrong', async () => {
    await expect(dumpParquet(file('none-*.parquet'))).rejects.toThrow(/no file matches/);
    await expect(dumpDuckdb(file('t.duckdb'), 'SELECT nothing FROM t')).rejects.toThrow(
      /"nothing" not found/,
    );
  });

  describeWithServer('postgres-15', (server) => {
    it('of PostgreSQL are the same by psql', async () => {
      const url = await server().createDatabase();
      await server().psql(table, url);
      const expected = await dumpDuckdb(file('t.duckdb'), select);
      const actual = await dumpPostgres(url, `${select};`);
      expect(compareDumps(expected, actual)).toBe('');
      await server().psql("UPDATE t SET name = '' WHERE id = 2", url);
      expect(compareDumps(expected, await dumpPostgres(url, select))).toContain('+ "2","",,,');
    });
  });
});
