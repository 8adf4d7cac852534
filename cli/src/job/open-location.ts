/** A URL or path as a job that only reads: what `discover` and `preview` look at. */
import type { LongJob } from '@sluice/sdk';
import { locate } from '../copy/locate.js';
import type { Output } from '../output/output.js';
import { hideCredentials, type OpenJob, openJob, registryAt } from './open-job.js';

/** The connector that takes rows and drops them: what a job writes to when nothing is to be written. */
export const NOWHERE = 'blackhole';

export async function openLocation(
  location: string,
  pairs: { readonly [key: string]: string },
  cwd: string,
  output: Output,
): Promise<OpenJob> {
  hideCredentials(output, [location]);
  const source = await locate(location, 'source', pairs, registryAt(cwd), cwd);
  const job: LongJob = {
    version: 1,
    name: 'location',
    connections: { source, nowhere: { connector: NOWHERE } },
    flows: { main: { source: 'source', sinks: { main: { to: 'nowhere' } } } },
  };
  return openJob(job, output);
}
