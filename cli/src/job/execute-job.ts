/** Plans and runs a job, shows it, and says how it ended: in words, as JSON, and as an exit code. */
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import {
  coreErrors,
  eventError,
  exitCodeOf,
  type Job,
  type Ledger,
  MemoryLedger,
  openSqliteLedger,
  type RunListener,
  type RunResult,
  runJob,
} from '@sluice/core';
import type { Rung, SluiceError } from '@sluice/sdk';
import type { CommandInput } from '../commands/command.js';
import { openMetrics, type PublishedMetrics } from '../metrics/published-metrics.js';
import { type ErrorReport, reportOf } from '../output/error-report.js';
import type { OutStream } from '../output/out-stream.js';
import type { Output } from '../output/output.js';
import { codedError, printReport } from '../output/report-failure.js';
import { chooseView } from '../run-view/choose-view.js';
import { resultLines } from '../run-view/result-lines.js';
import type { RunView } from '../run-view/run-view.js';
import { type StopSignal, StopSignals } from '../stop-signals.js';
import { makePlan, type PlanNotice } from './make-plan.js';
import type { OpenJob } from './open-job.js';
import { prepareResultFile } from './result-file.js';
import { statePath } from './state-path.js';

export interface ExecuteOptions {
  readonly input: CommandInput;
  /** Run these streams of the job only. */
  readonly streams: readonly string[] | undefined;
  /** Patterns of the streams that start a new generation. */
  readonly fresh: readonly string[];
  /** Nothing of the run is kept: what was read or written once through a pipe cannot be taken up again. */
  readonly passing: boolean;
  /** What is to be said of the plan before it runs. */
  readonly notice?: PlanNotice;
}

/** What looks on while a job runs. */
interface Watchers {
  readonly view: RunView;
  readonly metrics: PublishedMetrics;
  readonly signals: StopSignals;
}

/** A run that ended, or one that could not begin. */
interface Ending {
  readonly result: RunResult;
  readonly report: ErrorReport | undefined;
  readonly exitCode: number;
}

export async function executeJob(open: OpenJob, options: ExecuteOptions, output: Output): Promise<number> {
  const writeResult = prepareResultFile(options.input.text('result-file'));
  const results = rowsGoToStdout(open.job) ? output.stderr : output.stdout;
  const metrics = await openMetrics(options.input, open.job, output);
  const view = await chooseView(output, results);
  if (metrics.url !== undefined) view.log.info(`metrics are served at ${metrics.url}`);
  const signals = new StopSignals((signal) => view.log.warn(stopText(signal)));
  let ending: Ending;
  try {
    ending = await attempt(open, options, output, { view, metrics, signals });
  } finally {
    signals.dispose();
    view.end();
    await metrics.end(view.log);
  }
  await writeResult(ending.result, output);
  if (results !== output.stdout && output.stdout.isGone) return READER_GONE;
  print(ending, results, output);
  return ending.exitCode;
}

/** As shells count a program that ends because nobody reads its output any more (`head` does that): no failure. */
const READER_GONE = 128 + constants.signals.SIGPIPE;

async function attempt(
  { job, registry }: OpenJob,
  options: ExecuteOptions,
  output: Output,
  watchers: Watchers,
): Promise<Ending> {
  const { view, metrics, signals } = watchers;
  const { input, notice } = options;
  const startedAt = Date.now();
  try {
    const state = options.passing ? undefined : statePath(input.text('state'), job.cwd);
    const ledger = state === undefined ? new MemoryLedger() : await openSqliteLedger(state);
    try {
      await requireFree(ledger, job);
      view.doing(`planning ${job.name}`);
      const plan = await makePlan({ job, registry }, { ...options, state: ledger }, view.log);
      for (const line of notice?.(plan) ?? []) view.log.warn(line);
      signals.runBegins();
      let failure: unknown;
      const onFailure = (error: unknown) => {
        failure = error;
      };
      const spool = state !== undefined && { spool: join(dirname(state), 'spool') };
      const result = await runJob({ plan, ledger, onFailure, ...spool, ...runOptions(input, watchers) });
      const report = failure === undefined ? undefined : tell(failure, job, output);
      return { result, report, exitCode: exitCodeOfRun(result, signals) };
    } finally {
      await ledger.close();
    }
  } catch (error) {
    const coded = codedError(error);
    const result = failedBefore(job, startedAt, coded);
    metrics.listener({ at: result.endedAt, job: job.name, run: '', event: 'run.ended', result });
    return { result, report: tell(coded, job, output), exitCode: exitCodeOf(coded) };
  }
}

/** What is told of an error; a defect comes with its stack, for the report that its help asks for. */
function tell(error: unknown, { name, file }: Job, { debug }: Output): ErrorReport {
  const coded = codedError(error);
  return reportOf(
    coded,
    { job: name, ...(file !== undefined && { jobFile: file }) },
    debug || coded.class === 'internal',
  );
}

function runOptions(input: CommandInput, { view, metrics, signals: { stop, abort } }: Watchers) {
  const rung = input.text('rung') as Rung | undefined;
  const { log } = view;
  const listener: RunListener = (event) => {
    metrics.listener(event);
    view.listener(event);
  };
  const follow = input.flag('follow');
  return { listener, log, stop, abort, follow, ...(rung !== undefined && { rung }) };
}

/**
 * Another run of the job is told at once, and not by a system that it keeps busy. The run itself takes the lease, so
 * this decides nothing.
 */
async function requireFree(ledger: Ledger, { name }: Job): Promise<void> {
  const lease = await ledger.lease(name);
  if (lease === undefined) return;
  const { run, host, pid } = lease.holder;
  throw coreErrors.held(`job ${name} is held by run ${run} (process ${pid} on ${host})`, {
    details: { run, host, pid },
  });
}

/** The result of a run that could not begin. */
function failedBefore({ name }: Job, startedAt: number, error: SluiceError): RunResult {
  const nothing = { rows: 0, bytes: 0, streams: [] };
  return {
    job: name,
    run: '',
    status: 'failed',
    startedAt,
    endedAt: Date.now(),
    ...nothing,
    error: eventError(error),
  };
}

function exitCodeOfRun({ status, error }: RunResult, { exitCode }: StopSignals): number {
  if (error !== undefined) return exitCodeOf(error);
  return status === 'stopped' ? (exitCode ?? 0) : 0;
}

function print({ result, report }: Ending, results: OutStream, output: Output): void {
  if (output.json) {
    results.json({ event: 'result', ...result });
  } else if (!results.isTTY) {
    results.json(result);
  } else if (result.run !== '' && !output.quiet) {
    for (const line of resultLines(result, results.colours, results.width)) results.line(line);
  }
  if (report !== undefined) printReport(report, output);
}

/** Rows on stdout leave no room for anything else there. */
function rowsGoToStdout({ flows }: Job): boolean {
  return flows.some(({ sinks }) => sinks.some(({ connection }) => connection.connector === 'stdout'));
}

function stopText(signal: StopSignal): string {
  return `${signal}: what is complete is committed, then the run ends; once more ends it at once`;
}
