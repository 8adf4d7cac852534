/** Reports what a command failed with, and says which exit code it gets. */
import { exitCodeOf } from '@sluice/core';
import { nearestName, type SluiceError, toSluiceError } from '@sluice/sdk';
import { UsageProblem } from '../arguments/usage-problem.js';
import { cliErrors } from '../errors.js';
import { type ErrorReport, errorLines, reportOf } from './error-report.js';
import type { Output } from './output.js';

/** Prints an error on stderr, for people or as one line of JSON. Returns the exit code. */
export function reportFailure(
  error: unknown,
  output: Output,
  context: { readonly [name: string]: unknown } = {},
): number {
  const coded = codedError(error);
  printReport(reportOf(coded, context, output.debug || coded.class === 'internal'), output);
  return exitCodeOf(coded);
}

/** Prints a report on stderr. */
export function printReport(report: ErrorReport, output: Output): void {
  const { stderr, json } = output;
  if (json) {
    stderr.json({ level: 'error', time: new Date().toISOString(), msg: report.message, ...report });
    return;
  }
  for (const line of errorLines(report, stderr.colours, stderr.width)) stderr.line(line);
}

/** The error with a code: mistakes on the command line get theirs here. */
export function codedError(error: unknown): SluiceError {
  if (!(error instanceof UsageProblem)) return toSluiceError(error);
  const { message, meant, command } = error;
  const near = meant && nearestName(meant.wrong, meant.names);
  const help =
    command === undefined
      ? undefined
      : `\`sluice ${command} --help\` shows its arguments and options, with examples.`;
  const prefix = meant?.wrong !== undefined && message.includes(' has no option ') ? '--' : '';
  return cliErrors.usage(near === undefined ? message : `${message}; did you mean ${prefix}${near}?`, {
    ...(help && { help }),
  });
}
