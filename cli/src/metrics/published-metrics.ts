/** A run's metrics where they were asked for: at a port, in a file, or nowhere. */
import { type Job, type RunListener, RunMetrics } from '@sluice/core';
import type { Logger } from '@sluice/sdk';
import { UsageProblem } from '../arguments/usage-problem.js';
import type { CommandInput } from '../commands/command.js';
import type { Output } from '../output/output.js';
import { wholeFile } from '../output/whole-file.js';
import { version } from '../version.js';
import { serveMetrics } from './metrics-server.js';

export interface PublishedMetrics {
  readonly listener: RunListener;
  /** Where they are served, if they are. */
  readonly url: string | undefined;
  /** Writes the file for the last time and stops serving. A file that cannot be written is no reason to fail. */
  end(log: Logger): Promise<void>;
}

/** How often the file is renewed while the run lasts. */
const FILE_MS = 10_000;
const HIGHEST_PORT = 65_535;

/** Rejects before anything runs with `SLUICE-CLI-0001`, `SLUICE-CLI-0002` (the file), `SLUICE-CLI-0005` (the port). */
export async function openMetrics(
  input: CommandInput,
  { name }: Pick<Job, 'name'>,
  { stdout }: Output,
): Promise<PublishedMetrics> {
  const port = input.count('metrics-port');
  const file = input.text('metrics-file');
  const host = input.text('metrics-host');
  if (port === undefined && host !== undefined) {
    throw new UsageProblem('--metrics-host is the address of --metrics-port, which is missing');
  }
  if (port !== undefined && port > HIGHEST_PORT) {
    throw new UsageProblem(`--metrics-port is a number up to ${HIGHEST_PORT}, and got "${port}"`);
  }
  if (port === undefined && file === undefined) {
    return { listener: () => {}, url: undefined, end: async () => {} };
  }
  const metrics = new RunMetrics({
    job: name,
    version: version(),
    redact: (text) => stdout.redact(text),
  });
  const text = () => metrics.text();
  const writeText = file === undefined ? undefined : wholeFile(file, 'metrics');
  const server = port === undefined ? undefined : await serveMetrics(host ?? '127.0.0.1', port, text);
  let failure: unknown;
  const write = () => {
    try {
      writeText?.(text());
      failure = undefined;
    } catch (error) {
      failure = error;
    }
  };
  write();
  const timer = setInterval(write, FILE_MS).unref();
  return {
    listener: metrics.listener,
    url: server?.url,
    async end(log) {
      clearInterval(timer);
      write();
      if (failure !== undefined) log.warn((failure as Error).message);
      await server?.close();
    },
  };
}
