/** Names of targets: what a system would cut off, fold or mix up is refused before anything is written. */
import { describeWithServer, dumpPostgres } from '@sluice/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workspace } from './cli-workspace.js';

const MINUTES = 60_000;

let place: Workspace;
beforeAll(() => {
  place = new Workspace();
});
afterAll(() => place.remove());

const column = { type: 'sequence' };

/** A job from generated streams of one row each: their names, or their names with those of their columns. */
function job(
  name: string,
  streams: readonly string[] | { [stream: string]: readonly string[] },
  sink: object,
  more: object = {},
) {
  const columns = Array.isArray(streams)
    ? Object.fromEntries(streams.map((stream: string) => [stream, ['id']]))
    : (streams as { [stream: string]: readonly string[] });
  const generated = Object.entries(columns).map(([stream, names]) => [
    stream,
    { columns: Object.fromEntries(names.map((each) => [each, column])) },
  ]);
  const source = { connector: 'generate', rows: 1, streams: Object.fromEntries(generated) };
  place.job(`${name}.json`, {
    name,
    connections: { made: source, there: sink },
    flows: { main: { source: 'made', sinks: { main: { to: 'there', write: 'replace', ...more } } } },
  });
}

/** What `plan` says of the job. */
async function refusal(name: string): Promise<string> {
  const { code, stderr } = await place.sluice(['plan', `${name}.json`]);
  expect(code).toBe(2);
  return stderr;
}

async function run(name: string): Promise<void> {
  const exit = await place.sluice(['run', `${name}.json`]);
  expect(exit.code, exit.stderr).toBe(0);
}

describe('in DuckDB', () => {
  const tables = (name: string) =>
    place.query(
      `${name}.duckdb`,
      `SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_name NOT LIKE '!_%' ESCAPE '!' ORDER BY 1`,
    );
  const duckdb = (name: string) => ({ connector: 'duckdb', path: `${name}.duckdb` });

  it.each([
    ['case', ['orders', 'ORDERS'], {}, 'SLUICE-DUCKDB-0017'],
    ['schema', ['orders', 'main.orders'], {}, 'SLUICE-DUCKDB-0017'],
    ['template', ['a.orders', 'b.orders'], { name: '{stream}' }, 'SLUICE-CORE-0011'],
    ['lowered', ['a.Orders', 'b.orders'], { name: '{stream:lower}' }, 'SLUICE-CORE-0011'],
    ['columns', { orders: ['id', 'Id'] }, {}, 'SLUICE-DUCKDB-0017'],
  ])('two names that would be one are refused: %s', async (name, streams, more, code) => {
    job(name, streams, duckdb(name), more);
    expect(await refusal(name)).toContain(code);
    expect(place.exists(`${name}.duckdb`)).toBe(false);
  });

  it('names that differ by other letters are two, in streams, columns and tables that are there', async () => {
    const streams = { É: ['É', 'é'], é: ['é'] };
    job('accents', streams, duckdb('accents'));
    await run('accents');
    await run('accents');
    expect(await tables('accents')).toEqual([['main.É'], ['main.é']]);
    expect(await place.query('accents.duckdb', 'SELECT * FROM "É"')).toEqual([['1', '1']]);
    expect(await place.query('accents.duckdb', 'SELECT * FROM "é"')).toEqual([['1']]);
  });

  it('a table that is there is met whatever its case', async () => {
    job('met', ['Orders'], duckdb('met'), { write: 'append' });
    await run('met');
    job('met', ['Orders'], duckdb('met'), { write: 'append', name: '{stream:upper}' });
    const { stdout } = await place.sluice(['plan', 'met.json', '--json']);
    const [stream] = JSON.parse(stdout.trim().split('\n').at(-1)!).flows[0].streams;
    expect(stream).toMatchObject({ target: 'main.ORDERS', exists: true, ddl: [] });
  });
});

describe('in folders', () => {
  const long = 'é'.repeat(128);

  it('names that are longer than a file system takes are refused, or shortened', async () => {
    const files = { connector: 'file', path: 'long/', format: 'jsonl' };
    job('long', [long], files);
    expect(await refusal('long')).toContain('SLUICE-FILESINK-0003');
    job('long', [long], files, { name: '{stream:255}' });
    await run('long');
    expect(place.linesBelow('long', '.jsonl')).toEqual(['{"id":1}']);
  });
});

describeWithServer('postgres-15', (server) => {
  const long = `${'measurement_'.repeat(5)}abcd`;
  let url: string;
  beforeAll(async () => {
    url = await server().createDatabase();
  }, 3 * MINUTES);

  it('names that the server would cut off are refused', async () => {
    const postgres = { connector: 'postgres', url };
    job('cut', [`a_${long}`], postgres);
    const refused = await refusal('cut');
    expect(refused).toContain('SLUICE-PG-0022');
    expect(refused).toContain('PostgreSQL takes 1 to 63 bytes');
    job('cut', { orders: [`a_${long}`] }, postgres);
    expect(await refusal('cut')).toContain('SLUICE-PG-0022');
    job('cut', ['orders', 'public.orders'], postgres);
    expect(await refusal('cut')).toContain('SLUICE-CORE-0011');
  });

  it('names are shortened the same way in every run, and stay different', async () => {
    const streams = [`${long}_one`, `${long}_two`, 'Short'];
    job('shorter', streams, { connector: 'postgres', url }, { name: 'shorter.{stream:63:lower}' });
    await run('shorter');
    await run('shorter');
    const { rows } = await dumpPostgres(
      url,
      "SELECT tablename FROM pg_tables WHERE schemaname = 'shorter' ORDER BY 1",
    );
    const kept = `${'measurement_'.repeat(4)}measur`;
    expect(rows).toEqual([`"${kept}_4a0c7e2d"`, `"${kept}_d0695966"`, '"short"']);
  });

  it('names that differ by case alone are two', async () => {
    job('cases', ['Orders', 'orders'], { connector: 'postgres', url }, { name: 'cases.{stream}' });
    await run('cases');
    const { rows } = await dumpPostgres(
      url,
      'SELECT o.id, p.id AS other FROM cases."Orders" o, cases.orders p',
    );
    expect(rows).toHaveLength(1);
  });
});
