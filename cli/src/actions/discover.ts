import { resolve } from 'node:path';
import { contextOf, type JobConnection, openSource } from '@sluice/core';
import { nearestName } from '@sluice/sdk';
import { catalogLines } from '../catalog/catalog-lines.js';
import { type CatalogDescription, describeCatalogStream } from '../catalog/describe-catalog.js';
import type { Action } from '../commands/command.js';
import { cliErrors } from '../errors.js';
import { COMMAND_MEMORY, usedConnections } from '../job/connections.js';
import { isJobFile } from '../job/job-or-location.js';
import { type OpenJob, openJob } from '../job/open-job.js';
import { openLocation } from '../job/open-location.js';
import { commandLogger } from '../output/command-logger.js';

export const action: Action = async (input, output) => {
  const [what = ''] = input.positionals;
  const open = isJobFile(what)
    ? await openJob(what, output)
    : await openLocation(what, input.pairs('from'), resolve(), output);
  const context = contextOf(open.job, { log: await commandLogger(output) }, COMMAND_MEMORY);
  const patterns = input.list('streams');
  const found: { connection: string; streams: CatalogDescription[] }[] = [];
  for (const connection of chooseConnections(open, input.text('connection'))) {
    const { side: source } = await openSource(open.job, connection, open.registry);
    try {
      const { streams } = await source.discover(patterns, context);
      found.push({ connection: connection.name, streams: streams.map(describeCatalogStream) });
    } finally {
      await source.close?.();
    }
  }
  const { stdout } = output;
  if (output.json) {
    stdout.json({ connections: found });
    return 0;
  }
  for (const [i, { connection, streams }] of found.entries()) {
    if (found.length > 1) stdout.line(`${i === 0 ? '' : '\n'}${stdout.colours.bold(connection)}`);
    for (const line of catalogLines(streams, stdout.colours, stdout.width)) stdout.line(line);
  }
  return 0;
};

/** The connection that is named, or every one that a flow reads. */
function chooseConnections({ job }: OpenJob, name: string | undefined): JobConnection[] {
  if (name === undefined) {
    return usedConnections(job).flatMap(({ side, connection }) => (side === 'source' ? [connection] : []));
  }
  const named = job.connections[name];
  if (named !== undefined) return [named];
  const names = Object.keys(job.connections);
  const near = nearestName(name, names);
  const hint = near === undefined ? `; there are ${names.join(', ')}` : `; did you mean "${near}"?`;
  throw cliErrors.nothingThere(`job ${job.name} has no connection "${name}"${hint}`);
}
