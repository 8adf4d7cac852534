/** What the command line says beside the job. */
import { type Job, parseSize } from '@sluice/core';
import { UsageProblem } from '../arguments/usage-problem.js';
import type { CommandInput } from '../commands/command.js';

/** The job with `--memory` and `--parallel`. */
export function overrideJob(job: Job, input: CommandInput): Job {
  const memory = input.text('memory');
  const parallel = input.count('parallel');
  if (parallel === 0) throw new UsageProblem('--parallel needs at least 1, and got "0"');
  return {
    ...job,
    ...(memory !== undefined && { memory: { bytes: sizeOf(memory) } }),
    ...(parallel !== undefined && { parallel }),
  };
}

function sizeOf(text: string): number {
  const bytes = parseSize(text) ?? 0;
  if (bytes > 0) return bytes;
  throw new UsageProblem(`--memory needs a size such as 512Mi or 2GB, and got "${text}"`);
}
