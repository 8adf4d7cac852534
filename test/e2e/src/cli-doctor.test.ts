/** `sluice doctor`: what is in the way of a job, with what mends it. */
import { existsSync } from 'node:fs';
import type { Finding } from '@sluice/sdk';
import { describeWithServer, psql } from '@sluice/test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Workspace } from './cli-workspace.js';

let place: Workspace;
beforeEach(() => {
  place = new Workspace();
});
afterEach(() => place.remove());

interface Report {
  readonly ok: boolean;
  readonly sections: readonly { readonly about: string; readonly findings: readonly Finding[] }[];
}

async function doctor(...args: string[]): Promise<{ code: number | null; report: Report }> {
  const exit = await place.sluice(['doctor', ...args, '--json']);
  return { code: exit.code, report: JSON.parse(exit.stdout) as Report };
}

const fixesOf = ({ sections }: Report) =>
  sections.flatMap(({ findings }) =>
    findings.flatMap((finding) => (finding.level === 'fail' ? [finding.fix] : [])),
  );

function files() {
  place.write('people.csv', 'id,name\n1,Ann\n');
  return place.job('job.json', {
    name: 'people',
    source: { connector: 'file', path: 'people.csv' },
    sink: { connector: 'duckdb', path: 'lake.duckdb' },
  });
}

describe('doctor', () => {
  it('examines this machine without a job', async () => {
    const { code, report } = await doctor();
    expect(code).toBe(0);
    expect(report.sections.map(({ about }) => about)).toEqual(['machine', 'ledger']);
    const text = JSON.stringify(report);
    for (const part of [
      `Node.js ${process.versions.node}`,
      'postgres 0.',
      'of memory',
      'will be made by the first run',
    ])
      expect(text).toContain(part);
    expect(existsSync(place.path('.sluice'))).toBe(false);
  });

  it('finds a job well before and after its run, and changes nothing', async () => {
    files();
    const before = await place.sluice(['doctor', 'job.json']);
    expect(before).toMatchObject({ code: 0, stderr: '' });
    expect(before.stdout).toMatch(
      /^This machine\n {2}✔ Sluice .*[\s\S]*\nsource source \(file, flow main\)\n {2}✔ can be reached/,
    );
    expect(existsSync(place.path('lake.duckdb'))).toBe(false);
    expect((await place.sluice(['run', 'job.json', '--quiet'])).code).toBe(0);
    const after = await doctor('job.json');
    expect(after).toMatchObject({ code: 0, report: { job: 'people', ok: true } });
    expect(JSON.stringify(after.report)).toMatch(/has version \d+ and knows 1 job/);
    expect(JSON.stringify(after.report)).toContain('lake.duckdb can be read and written');
    expect((await place.sluice(['doctor', 'job.json', '--quiet'])).stdout).toBe('');
  });

  it('tells all problems, and ends as the first would end the job', async () => {
    place.write('.sluice/state.db', 'no ledger at all, but a text that somebody left here');
    place.job('bad.json', {
      name: 'bad',
      source: { connector: 'postgres', url: 'postgres://ann:pw-example@127.0.0.1:9/shop' },
      sink: { connector: 'duckdb', path: 'none/lake.duckdb' },
    });
    const { code, report } = await doctor('bad.json');
    expect(code).toBe(4);
    expect(report.ok).toBe(false);
    const failed = report.sections.flatMap(({ about, findings }) =>
      findings.flatMap((finding) => (finding.level === 'fail' ? [[about, finding.class]] : [])),
    );
    expect(failed).toEqual([
      ['ledger', 'contract'],
      ['source', 'transient'],
      ['sink', 'config'],
    ]);
    expect(JSON.stringify(report)).not.toContain('pw-example');
  });

  it('goes on where the job itself is wrong', async () => {
    place.write('job.json', '{ "name": "x", "sorce": {} }');
    const exit = await place.sluice(['doctor', 'job.json']);
    expect(exit.code).toBe(2);
    expect(exit.stdout).toContain('did you mean "source"?');
    expect(exit.stdout).toContain('✔ Node.js');
  });
});

describeWithServer('postgres-15', (server) => {
  it('names the statements without which a job cannot run; with them it runs', async () => {
    const url = await server().createDatabase();
    const role = `doctor_${new URL(url).pathname.slice(1)}`.slice(0, 60);
    await psql(
      url,
      `CREATE ROLE ${role} LOGIN; CREATE SCHEMA shop; CREATE TABLE shop.orders (id integer PRIMARY KEY);
       INSERT INTO shop.orders VALUES (1), (2); CREATE SCHEMA copies`,
    );
    await psql(url, 'REVOKE ALL ON SCHEMA public FROM public');
    const own = new URL(url);
    own.username = role;
    const connection = { connector: 'postgres', url: own.href };
    place.job('job.json', {
      version: 1,
      name: 'copies',
      connections: { shop: connection, copies: { ...connection, schema: 'copies' } },
      flows: {
        main: {
          source: 'shop',
          streams: ['shop.orders'],
          sinks: { main: { to: 'copies', name: 'copies.{stream}', write: 'upsert' } },
        },
      },
    });
    try {
      const first = await doctor('job.json');
      expect(first.code).toBe(3);
      expect(fixesOf(first.report)).toEqual([
        `GRANT USAGE ON SCHEMA "shop" TO "${role}";`,
        `GRANT SELECT ON "shop"."orders" TO "${role}";`,
        `GRANT USAGE ON SCHEMA "copies" TO "${role}";`,
        `GRANT CREATE ON SCHEMA "copies" TO "${role}";`,
      ]);
      expect((await place.sluice(['run', 'job.json', '--quiet'])).code).toBe(3);
      await psql(url, fixesOf(first.report).join('\n'));
      expect((await doctor('job.json')).code).toBe(0);
      const run = await place.sluice(['run', 'job.json', '--quiet']);
      expect(run.code, run.stderr).toBe(0);
      expect((await psql(url, 'SELECT count(*) FROM copies.orders')).trim()).toBe('2');
    } finally {
      await psql(url, `DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });
});
