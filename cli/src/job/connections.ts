/** The connections that a job's flows use. */
import type { Job, JobConnection } from '@sluice/core';

/** Which side of a flow a connection is on. */
export type Side = 'source' | 'sink';

export interface UsedConnection {
  readonly connection: JobConnection;
  readonly side: Side;
}

/** Each connection once for every side on which a flow uses it. */
export function usedConnections({ flows }: Job): UsedConnection[] {
  const used = new Map<string, UsedConnection>();
  for (const { connection, sinks } of flows) {
    used.set(`source ${connection.name}`, { connection, side: 'source' });
    for (const sink of sinks) {
      used.set(`sink ${sink.connection.name}`, { connection: sink.connection, side: 'sink' });
    }
  }
  return [...used.values()];
}

/** Bytes that a connector may hold when a command calls it outside of a run. */
export const COMMAND_MEMORY = 64 << 20;
