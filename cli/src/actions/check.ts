import { contextOf, exitCodeOf, openSink, openSource } from '@sluice/core';
import type { Context } from '@sluice/sdk';
import type { Action } from '../commands/command.js';
import { COMMAND_MEMORY, type UsedConnection, usedConnections } from '../job/connections.js';
import { type OpenJob, openJob } from '../job/open-job.js';
import { commandLogger } from '../output/command-logger.js';
import { type ErrorReport, errorLines, reportOf } from '../output/error-report.js';
import type { Output } from '../output/output.js';
import { codedError } from '../output/report-failure.js';

/** What came of one connection. */
interface Finding {
  readonly connection: string;
  readonly connector: string;
  readonly side: 'source' | 'sink';
  readonly ok: boolean;
  readonly error?: ErrorReport;
  readonly exitCode: number;
}

export const action: Action = async (input, output) => {
  const open = await openJob(input.positionals[0]!, output);
  const context = contextOf(open.job, { log: await commandLogger(output) }, COMMAND_MEMORY);
  const findings: Finding[] = [];
  for (const used of usedConnections(open.job))
    findings.push(await tryConnection(open, used, context, output));
  if (output.json) {
    const connections = findings.map(({ exitCode: _, ...finding }) => finding);
    output.stdout.json({ job: open.job.name, ok: findings.every(({ ok }) => ok), connections });
  } else {
    for (const finding of findings) printFinding(finding, output);
  }
  return findings.find(({ ok }) => !ok)?.exitCode ?? 0;
};

async function tryConnection(
  open: OpenJob,
  used: UsedConnection,
  context: Context,
  output: Output,
): Promise<Finding> {
  const { connection, side } = used;
  const facts = { connection: connection.name, connector: connection.connector, side };
  try {
    const opening = side === 'source' ? openSource : openSink;
    const { side: system } = await opening(open.job, connection, open.registry);
    try {
      await system.check(context);
    } finally {
      await system.close?.();
    }
    return { ...facts, ok: true, exitCode: 0 };
  } catch (error) {
    const coded = codedError(error);
    const report = reportOf(coded, { connection: connection.name }, output.debug);
    return { ...facts, ok: false, error: report, exitCode: exitCodeOf(coded) };
  }
}

function printFinding({ connection, connector, side, ok, error }: Finding, { stdout, quiet }: Output): void {
  const { colours } = stdout;
  const name = `${side} ${colours.bold(connection)} ${colours.dim(`(${connector})`)}`;
  if (ok && !quiet) stdout.line(`${colours.green('✔')} ${name} is ready`);
  if (error === undefined) return;
  stdout.line(`${colours.red('✖')} ${name} is not ready`);
  for (const line of errorLines(error, colours, stdout.width))
    stdout.line(`  ${line.replaceAll('\n', '\n  ')}`);
}
