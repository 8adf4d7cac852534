/** Reading a change log: the same transactions from copies of one slot, by the server's own client and by Sluice. */
import type { Place } from '../cases.js';
import type { Comparison } from '../compare.js';
import { shell } from '../process-run.js';
import { Backlog } from './backlog.js';

const FLOOR = 'bench_floor';

export async function readChanges(place: Place, name: string, perTransaction: number): Promise<Comparison> {
  const { server, rows } = place;
  const backlog = await Backlog.begin(place, { name, perTransaction, sink: { connector: 'blackhole' } });
  await backlog.fill();
  const options = ['proto_version=1', `publication_names=${backlog.name}`, 'binary=true'].map(
    (o) => `-o ${o}`,
  );
  const receive = (end: string) =>
    `pg_recvlogical -d '${server.url}' --slot ${FLOOR} --start ${options.join(' ')} --endpos ${end} --no-loop -f /dev/null`;
  return {
    name: `Changes of Postgres, ${perTransaction} a transaction, read, against pg_recvlogical into /dev/null`,
    rows,
    atMost: 0.77,
    floor: backlog.contender(FLOOR, (end) => shell('pg_recvlogical', receive(end))),
    ours: backlog.sluice(),
  };
}
