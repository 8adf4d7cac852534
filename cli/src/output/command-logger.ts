/** Log messages of commands that are no runs: on stderr, warnings and worse. */
import type { Logger } from '@sluice/sdk';
import { humanLogger } from './human-logger.js';
import type { Output } from './output.js';

export async function commandLogger({ stderr, json, quiet, debug }: Output): Promise<Logger> {
  const level = debug ? 'debug' : quiet ? 'error' : 'warn';
  if (!json) return humanLogger((line) => stderr.line(line), level, stderr.colours, false);
  const { jsonLogger } = await import('./json-logger.js');
  return jsonLogger(stderr, level);
}
