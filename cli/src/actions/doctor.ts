import { resolve } from 'node:path';
import { contextOf, exitCodeOf } from '@sluice/core';
import { failure } from '@sluice/sdk';
import type { Action } from '../commands/command.js';
import { examineFlow } from '../doctor/examine-flow.js';
import { examineLedger } from '../doctor/examine-ledger.js';
import { examineMachine } from '../doctor/examine-machine.js';
import type { Section } from '../doctor/section.js';
import { sectionLines } from '../doctor/section-lines.js';
import { COMMAND_MEMORY } from '../job/connections.js';
import { type OpenJob, openJob, registryAt } from '../job/open-job.js';
import { statePath } from '../job/state-path.js';
import { commandLogger } from '../output/command-logger.js';
import type { Output } from '../output/output.js';
import { codedError } from '../output/report-failure.js';

export const action: Action = async (input, output) => {
  const { stdout } = output;
  const [file] = input.positionals;
  const { open, problem } = await tryJob(file, output);
  const connectors = open && Object.values(open.job.connections).map(({ connector }) => connector);
  const sections: Section[] = [
    examineMachine(open?.registry ?? registryAt(resolve()), connectors),
    await examineLedger(statePath(input.text('state'), open?.job.cwd ?? resolve()), open?.job.name),
    ...(problem === undefined ? [] : [problem]),
  ];
  if (open !== undefined) {
    const context = contextOf(open.job, { log: await commandLogger(output) }, COMMAND_MEMORY);
    for (const flow of open.job.flows) sections.push(...(await examineFlow(open, flow, context)));
  }
  const failures = sections.flatMap(({ findings }) => findings.filter(({ level }) => level === 'fail'));
  if (output.json) {
    stdout.json({ ...(open && { job: open.job.name }), ok: failures.length === 0, sections });
  } else {
    for (const line of sectionLines(sections, stdout.colours, output.quiet)) stdout.line(line);
  }
  const [first] = failures;
  return first?.level === 'fail' ? exitCodeOf({ class: first.class, code: '' }) : 0;
};

/** A job that cannot be read keeps nobody from looking at the rest. */
async function tryJob(
  file: string | undefined,
  output: Output,
): Promise<{ readonly open?: OpenJob; readonly problem?: Section }> {
  if (file === undefined) return {};
  try {
    return { open: await openJob(file, output) };
  } catch (error) {
    return { problem: { about: 'job', findings: [failure(codedError(error))] } };
  }
}
