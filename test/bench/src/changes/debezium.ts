/** Debezium as a contender, where it is installed: its embedded engine with batched upserts by JDBC. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Place } from '../cases.js';
import { shell } from '../process-run.js';
import type { Applier } from './apply-changes.js';
import { type Backlog, MARK } from './backlog.js';

const FOLDER = fileURLToPath(new URL('../../debezium', import.meta.url));
const SLOT = 'bench_debezium';

/** Whether its packages and the contender's class are there; CONTRIBUTING.md says how they get there. */
export function debeziumIsInstalled(): boolean {
  return existsSync(`${FOLDER}/lib`) && existsSync(`${FOLDER}/classes/Apply.class`);
}

export function debezium({ server }: Place, url: string, backlog: Backlog): Applier {
  if (!debeziumIsInstalled()) throw new Error('Debezium is not installed: see CONTRIBUTING.md');
  const from = new URL(server.url);
  const to = new URL(url);
  const target = `jdbc:postgresql://${to.host}${to.pathname}?user=${to.username}`;
  const database = from.pathname.slice(1);
  const args = [from.hostname, from.port, from.username, database, SLOT, backlog.name, target, MARK];
  const line = `java -Xmx2g -XX:+UseParallelGC -cp '${FOLDER}/lib/*:${FOLDER}/classes' Apply ${args.map((arg) => `'${arg}'`).join(' ')}`;
  return { name: 'Debezium', command: shell('Debezium', line), slot: SLOT };
}
