/** The process is killed at every failure point; run again, it ends in the same data. */
import { fileURLToPath } from 'node:url';
import { describeWithServer, killAt, listFailpoints, type Program, psql, runProgram } from '@sluice/test';
import { expect, it } from 'vitest';

/** The compiled program: a killed process is a real one. */
const program = fileURLToPath(new URL('../../dist/testing/crash-program.js', import.meta.url));

describeWithServer('postgres-15', (server) => {
  it.for(['append', 'replace', 'upsert'] as const)('%s', async (write) => {
    const from = await server().createDatabase();
    await psql(
      from,
      `CREATE TABLE orders (id integer PRIMARY KEY, note text);
       INSERT INTO orders SELECT i, repeat('x', i % 300) FROM generate_series(1, 6000) i; ANALYZE orders`,
    );
    const programFor = (to: string): Program => ({
      command: process.execPath,
      args: [program, from, to, write],
    });
    const expected = await psql(
      from,
      "SELECT count(*), md5(string_agg(o::text, '|' ORDER BY id)) FROM orders o",
    );
    const arrived = (to: string) =>
      psql(to, "SELECT count(*), md5(string_agg(o::text, '|' ORDER BY id)) FROM orders o");

    const points = await listFailpoints(programFor(await server().createDatabase()));
    const names = points.map((point) => point.name);
    expect(names).toEqual(
      expect.arrayContaining(['postgres.attach.before', 'postgres.adopt.before', 'postgres.commit.before']),
    );
    if (write === 'replace')
      expect(names).toEqual(expect.arrayContaining(['postgres.publish.before', 'postgres.publish.after']));
    for (const { name, hits } of points) {
      for (const point of hits > 2 ? [name, `${name}@${Math.ceil(hits / 2)}`] : [name]) {
        const to = await server().createDatabase();
        await killAt(programFor(to), point);
        const exit = await runProgram(programFor(to));
        expect({ point, code: exit.code, stderr: exit.stderr }).toEqual({ point, code: 0, stderr: '' });
        expect({ point, rows: await arrived(to) }).toEqual({ point, rows: expected });
        await psql(server().url, `DROP DATABASE ${new URL(to).pathname.slice(1)} WITH (FORCE)`);
      }
    }
  });
});
