import { resolve } from 'node:path';
import { contextOf, type FlowPlan, type JobPlan, type StreamPlan } from '@sluice/core';
import type { Action } from '../commands/command.js';
import { cliErrors } from '../errors.js';
import { isJobFile } from '../job/job-or-location.js';
import { makePlan } from '../job/make-plan.js';
import { openJob } from '../job/open-job.js';
import { openLocation } from '../job/open-location.js';
import { commandLogger } from '../output/command-logger.js';
import { previewJob } from '../preview/preview-job.js';
import { printable } from '../preview/printable.js';
import { readRows } from '../preview/read-rows.js';
import { rowLines } from '../preview/row-lines.js';

const DEFAULT_ROWS = 10;

export const action: Action = async (input, output) => {
  const [what = ''] = input.positionals;
  const stream = input.text('stream');
  const open = isJobFile(what)
    ? await openJob(what, output)
    : await openLocation(what, input.pairs('from'), resolve(), output);
  const log = await commandLogger(output);
  const job = previewJob(open.job, stream);
  const plan = await makePlan({ ...open, job }, { streams: undefined, fresh: [] }, log);
  try {
    const [flow, chosen] = chooseStream(plan, stream);
    const context = contextOf(job, { log }, plan.connectorMemory);
    const { schema, rows } = await readRows(flow, chosen, input.count('rows') ?? DEFAULT_ROWS, context);
    const { stdout } = output;
    if (output.json) {
      for (const row of rows) {
        stdout.json(
          Object.fromEntries(schema.fields.map(({ name, type }) => [name, printable(type, row[name])])),
        );
      }
      return 0;
    }
    for (const line of rowLines(schema, rows, stdout.colours, stdout.width)) stdout.line(line);
    if (rows.length === 0 && !output.quiet) output.stderr.line(`stream ${chosen.stream} has no rows`);
    return 0;
  } finally {
    await plan.close();
  }
};

function chooseStream(plan: JobPlan, name: string | undefined): [FlowPlan, StreamPlan] {
  const all = plan.flows.flatMap((flow) =>
    flow.streams.map((stream): [FlowPlan, StreamPlan] => [flow, stream]),
  );
  const [first] = all;
  if (first !== undefined && (name !== undefined || all.length === 1)) return first;
  const names = [...new Set(all.map(([, { stream }]) => stream))];
  throw cliErrors.nothingThere('there is more than one stream; say which with --stream', {
    help: `There are ${names.join(', ')}.`,
  });
}
