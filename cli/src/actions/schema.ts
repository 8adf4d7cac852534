import { resolve } from 'node:path';
import { jobSchema } from '@sluice/core';
import type { Action } from '../commands/command.js';
import { installedConnectors } from '../connectors/installed-connectors.js';
import { registryAt } from '../job/open-job.js';
import { commandLogger } from '../output/command-logger.js';

export const action: Action = async (_input, output) => {
  const loaded = await installedConnectors(registryAt(resolve()), await commandLogger(output));
  output.stdout.line(JSON.stringify(jobSchema(loaded.map(({ connector }) => connector)), null, 2));
  return 0;
};
