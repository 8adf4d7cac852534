/** From either form of a job file to the normal form. */
import { isExact, nearestName } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import { checkSettings, type JobValues, problemsError, settingsAt } from './check-settings.js';
import { parseDuration } from './duration.js';
import type { Problem } from './issues-text.js';
import type {
  CommitBounds,
  Job,
  JobConnection,
  JobFlow,
  JobSink,
  JobTransform,
  LogRules,
  MemoryBound,
  RateLimit,
  SinkRule,
  StreamRule,
} from './job.js';
import {
  type FlowInput,
  type LongJobInput,
  longJobSchema,
  type ShortJobInput,
  shortJobSchema,
} from './job-schema.js';
import type { Path } from './path-text.js';
import { parsePercentage } from './percentage.js';
import { parseCount, parseRate } from './rate.js';
import { isPlainObject } from './resolve-values.js';
import { parseSize } from './size.js';

type EngineKeys = Omit<Job, keyof JobValues | 'file' | 'cwd' | 'connections' | 'flows'>;
/** What the job itself says, without where it was found. */
export type NormalJob = EngineKeys & Pick<Job, 'connections' | 'flows'>;

const SHORT_ONLY = [
  'source',
  'sink',
  'streams',
  'mode',
  'onFailure',
  'transforms',
  'write',
  'deletes',
  'save',
  'options',
];
const LONG_ONLY = ['connections', 'flows'];

/** Throws `SLUICE-CORE-0001` with everything that is wrong. */
export function normalise(value: unknown, values: JobValues): NormalJob {
  const refuse = (path: Path, message: string) =>
    problemsError(coreErrors.jobInvalid, [{ path, message }], values);
  if (!isPlainObject(value)) throw refuse([], 'a job is an object with a name, a source and a sink');
  const long = LONG_ONLY.filter((key) => Object.hasOwn(value, key));
  const short = SHORT_ONLY.filter((key) => Object.hasOwn(value, key));
  if (long.length > 0 && short.length > 0) {
    throw refuse(
      [short[0]!],
      `"${short[0]}" belongs to the short form of a job and "${long[0]}" to the long form; move it into a flow`,
    );
  }
  if (Object.hasOwn(value, 'version') && value['version'] !== 1) {
    throw refuse(
      ['version'],
      `this program reads job files of version 1, not ${JSON.stringify(value['version'])}`,
    );
  }
  const settings = settingsAt([], value);
  if (long.length > 0)
    return ofLong(checkSettings(longJobSchema, settings, values, coreErrors.jobInvalid), values);
  return ofShort(checkSettings(shortJobSchema, settings, values, coreErrors.jobInvalid), values);
}

function ofLong(job: LongJobInput, values: JobValues): NormalJob {
  const problems: Problem[] = [];
  const connections = Object.fromEntries(
    Object.entries(job.connections).map(([name, spec]) => [
      name,
      connection(name, spec, ['connections', name]),
    ]),
  );
  const use = (name: string, path: Path): JobConnection => {
    const found = Object.hasOwn(connections, name) ? connections[name] : undefined;
    if (found !== undefined) return found;
    problems.push({ path, message: noSuch('connection', name, Object.keys(connections)) });
    return { name, connector: '', settings: settingsAt(path, {}) };
  };
  const flows = Object.entries(job.flows).map(([name, flow]) =>
    ofFlow(name, flow, ['flows', name], use, problems),
  );
  if (flows.length === 0) problems.push({ path: ['flows'], message: 'must hold at least one flow' });
  checkExceptions(job.delivery?.except ?? [], flows, problems);
  const errors = errorsOf(job.errors, use);
  if (problems.length > 0) throw problemsError(coreErrors.jobInvalid, problems, values);
  return { ...engineKeys(job), ...errors, connections, flows };
}

function ofFlow(
  name: string,
  flow: FlowInput,
  at: Path,
  use: (name: string, path: Path) => JobConnection,
  problems: Problem[],
): JobFlow {
  const source = use(flow.source, [...at, 'source']);
  const sinks = Object.entries(flow.sinks).map(([sinkName, spec]): JobSink => {
    const { to, streams = {}, was, only, onFailure = 'stop', ...all } = spec;
    const path = [...at, 'sinks', sinkName];
    const rules = Object.entries(streams).map(
      ([pattern, each]): SinkRule => ({ pattern, spec: each, at: [...path, 'streams', pattern] }),
    );
    return {
      name: sinkName,
      ...(was !== undefined && { was }),
      connection: use(to, [...path, 'to']),
      ...(only !== undefined && { only }),
      onFailure,
      at: path,
      rules: [{ pattern: '*', spec: all, at: path }, ...rules],
    };
  });
  if (sinks.length === 0) problems.push({ path: [...at, 'sinks'], message: 'must hold a sink' });
  const rules = streamRules(flow.streams, [...at, 'streams']);
  problems.push(...ruleProblems(rules, [...at, 'streams']));
  return {
    name,
    ...(flow.was !== undefined && { was: flow.was }),
    connection: source,
    mode: flow.mode ?? 'full',
    onFailure: flow.onFailure ?? 'stop',
    changes: logRules(flow.changes),
    ...(flow.rate && { rate: rateLimit(flow.rate) }),
    streams: rules,
    transforms: transforms(flow.transforms, [...at, 'transforms']),
    sinks,
  };
}

function ofShort(job: ShortJobInput, values: JobValues): NormalJob {
  const source = connection('source', job.source, ['source']);
  const sink = connection('sink', job.sink, ['sink']);
  const rules = streamRules(job.streams, ['streams']);
  const problems = ruleProblems(rules, ['streams']);
  const { write, deletes, save, options } = job;
  const flow: JobFlow = {
    name: 'main',
    connection: source,
    mode: job.mode ?? 'full',
    onFailure: job.onFailure ?? 'stop',
    changes: logRules(job.changes),
    streams: rules,
    transforms: transforms(job.transforms, ['transforms']),
    sinks: [
      {
        name: 'main',
        connection: sink,
        onFailure: 'stop',
        at: [],
        rules: [{ pattern: '*', spec: { write, deletes, save, options }, at: [] }],
      },
    ],
  };
  checkExceptions(job.delivery?.except ?? [], [flow], problems);
  const connections: { [name: string]: JobConnection } = { source, sink };
  const errors = errorsOf(job.errors, (name, path) => {
    if (Object.hasOwn(connections, name)) return connections[name]!;
    problems.push({ path, message: noSuch('connection', name, Object.keys(connections)) });
    return sink;
  });
  if (problems.length > 0) throw problemsError(coreErrors.jobInvalid, problems, values);
  return { ...engineKeys(job), ...errors, connections, flows: [flow] };
}

function connection(name: string, spec: LongJobInput['connections'][string], at: Path): JobConnection {
  return { name, connector: spec.connector, settings: settingsAt(at, spec, ['connector']) };
}

function transforms(list: FlowInput['transforms'], at: Path): JobTransform[] {
  return (list ?? []).map((spec, i) => {
    const { use, streams } = spec;
    const settings = settingsAt([...at, i], spec, ['use', 'streams']);
    return { use, ...(streams !== undefined && { streams }), settings };
  });
}

function streamRules(streams: FlowInput['streams'], at: Path): StreamRule[] | undefined {
  if (streams === undefined) return undefined;
  if (Array.isArray(streams)) return streams.map((pattern, i) => ({ pattern, spec: {}, at: [...at, i] }));
  return Object.entries(streams).map(([pattern, spec]) => ({ pattern, spec, at: [...at, pattern] }));
}

function ruleProblems(rules: readonly StreamRule[] | undefined, at: Path): Problem[] {
  if (rules === undefined) return [];
  if (!rules.some(({ spec }) => spec !== false)) {
    return [{ path: at, message: 'selects no streams; add "*": {} for all of them, or leave the key out' }];
  }
  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const { pattern, spec, at: path } of rules) {
    if (seen.has(pattern)) problems.push({ path, message: `"${pattern}" appears twice` });
    seen.add(pattern);
    if (spec !== false && spec.was !== undefined && !isExact(pattern)) {
      problems.push({
        path: [...path, 'was'],
        message: 'only a stream that is named exactly can have been called otherwise',
      });
    }
  }
  return problems;
}

function checkExceptions(except: readonly string[], flows: readonly JobFlow[], problems: Problem[]): void {
  const names = flows.flatMap((flow) => flow.sinks.map((sink) => `${flow.name}.${sink.name}`));
  for (const [i, name] of except.entries()) {
    if (!names.includes(name))
      problems.push({ path: ['delivery', 'except', i], message: noSuch('sink', name, names) });
  }
}

function noSuch(what: string, name: string, names: readonly string[]): string {
  const near = nearestName(name, names);
  const hint = near === undefined ? `; there are ${names.join(', ') || 'none'}` : `; did you mean "${near}"?`;
  return `there is no ${what} "${name}"${hint}`;
}

function engineKeys(job: LongJobInput | ShortJobInput): EngineKeys {
  const {
    name,
    was,
    delivery = {},
    types,
    schema = {},
    memory,
    rate,
    parallel,
    again = false,
    allowEmpty = false,
  } = job;
  return {
    name,
    ...(was !== undefined && { was }),
    delivery: {
      ...(delivery.require !== undefined && { require: delivery.require }),
      commit: commitBounds(delivery.commit),
      except: delivery.except ?? [],
    },
    lossy: types?.lossy ?? 'fail',
    schema: { tables: 'evolve', columns: 'evolve', types: 'evolve', ...schema },
    ...(memory !== undefined && { memory: memoryBound(memory) }),
    ...(rate && { rate: rateLimit(rate) }),
    ...(parallel !== undefined && { parallel }),
    again,
    allowEmpty,
  };
}

function errorsOf(
  errors: LongJobInput['errors'],
  use: (name: string, path: Path) => JobConnection,
): Pick<Job, 'errors'> {
  if (errors === undefined) return {};
  const { deadLetter = 'ledger', max = '1%', window } = errors;
  return {
    errors: {
      max: typeof max === 'number' ? { rows: max } : { share: parsePercentage(max)! },
      ...(window !== undefined && { windowMs: parseDuration(window)! }),
      ...(deadLetter !== 'ledger' && { deadLetter: use(deadLetter, ['errors', 'deadLetter']) }),
    },
  };
}

function commitBounds(commit: NonNullable<LongJobInput['delivery']>['commit'] = {}): CommitBounds {
  const { every, rows, bytes } = commit;
  return {
    ...(every !== undefined && { ms: parseDuration(every)! }),
    ...(rows !== undefined && { rows }),
    ...(bytes !== undefined && { bytes: parseSize(bytes)! }),
  };
}

function logRules({
  from = 'copy',
  keep,
  whenOver = 'warn',
}: NonNullable<FlowInput['changes']> = {}): LogRules {
  return {
    whenOver,
    ...(from !== 'copy' && { from }),
    ...(keep !== undefined && { keep: parseSize(keep)! }),
  };
}

function rateLimit({ rows, bytes }: NonNullable<FlowInput['rate']>): RateLimit {
  return {
    ...(rows !== undefined && { rowsPerSecond: parseRate(rows, parseCount)! }),
    ...(bytes !== undefined && { bytesPerSecond: parseRate(bytes, parseSize)! }),
  };
}

function memoryBound(text: string): MemoryBound {
  const share = parsePercentage(text);
  return share === undefined ? { bytes: parseSize(text)! } : { share };
}
