/** Plans one flow over a source and a sink that exist in memory alone and of which only planning is asked. */
import {
  type CatalogStream,
  type ReadMode,
  type Sink,
  type SinkCapabilities,
  type SinkStream,
  type Source,
  type StreamSchema,
  silentLogger,
  type TablePlan,
  type Transform,
} from '@sluice/sdk';
import { z } from 'zod';
import { settingsAt } from '../job/check-settings.js';
import { Redactor } from '../job/redactor.js';
import { ResolvedPaths } from '../job/resolve-values.js';
import type { FlowPlan } from '../plan/flow-plan.js';
import type { CheckedStream, CheckedTarget } from '../plan/flow-request.js';
import { planFlow } from '../plan/plan-flow.js';
import type { SchemaPolicy } from '../plan/schema-policy.js';

export interface PlanSetting {
  readonly streams: readonly CatalogStream[];
  readonly mode?: ReadMode;
  /** Whether the source says that its changes carry the row as it was before. */
  readonly before?: boolean;
  /** Whether it says that it can tell which changes a copy shows. */
  readonly once?: boolean;
  readonly stream?: Partial<CheckedStream>;
  /** By the name of what arrives; undefined: the sink does not take it. */
  readonly target?: (stream: string) => Partial<CheckedTarget> | undefined;
  readonly sink?: Partial<SinkCapabilities>;
  readonly schema?: SchemaPolicy;
  /** The shapes that the sinks have so far. */
  readonly known?: readonly StreamSchema[];
  /** Applied in order, without options. */
  readonly transforms?: readonly Transform[];
}

export function planOf(setting: PlanSetting): Promise<FlowPlan> {
  const { mode = 'full', transforms = [], before = false, once = false, target = () => ({}) } = setting;
  const source: Source = {
    capabilities: { replay: true, modes: ['full', 'cdc'], incremental: 'none', before, once },
    ...nothing,
    identity: async () => 'source',
    discover: async () => ({ streams: setting.streams }),
    splits: () => unasked(),
    open: unasked,
  };
  const stream: CheckedStream = {
    mode,
    onFailure: 'stop',
    columns: {},
    source: {},
    ...setting.stream,
  };
  return planFlow(
    {
      key: { job: 'job', flow: 'main' },
      values: { resolved: new ResolvedPaths(), redactor: new Redactor(), place: () => undefined },
      source,
      sinks: [
        {
          name: 'main',
          sink: sinkWith(setting.sink),
          onFailure: 'stop',
          targetSettings: (name) => {
            const wanted = target(name);
            return wanted && { save: 'keep', options: {}, ...wanted };
          },
        },
      ],
      patterns: undefined,
      streamSettings: () => stream,
      transforms: transforms.map(({ name }) => ({ use: name, settings: settingsAt([], {}) })),
      transformsByName: Object.fromEntries(transforms.map((transform) => [transform.name, transform])),
      tolerant: false,
      lossy: 'fail',
      schema: setting.schema ?? { tables: 'evolve', columns: 'evolve', types: 'evolve' },
      known: new Map((setting.known ?? []).map((schema) => [schema.stream, schema])),
      quarantined: [],
      epoch: {},
      batchMemory: 1 << 20,
      rates: [],
      changes: { whenOver: 'warn' },
      again: false,
      fresh: [],
      allowEmpty: false,
    },
    { signal: new AbortController().signal, log: silentLogger, cwd: '.', memory: 1 << 20 },
  );
}

/** A transform without options. */
export function transformOf(name: string, bind: Transform['bind']): Transform {
  return { name, title: name, options: z.strictObject({}), bind };
}

function sinkWith(capabilities: Partial<SinkCapabilities> = {}): Sink {
  return {
    capabilities: {
      modes: { append: 'atomic', upsert: 'atomic', replace: 'atomic' },
      transactions: 'whole',
      partialUpdates: true,
      move: true,
      guard: false,
      writers: 4,
      ...capabilities,
    },
    ...nothing,
    identity: async () => 'sink',
    plan: async (streams) => streams.map(tablePlan),
    attach: unasked,
    adopt: unasked,
    applySchema: unasked,
    publish: unasked,
    open: unasked,
  };
}

function tablePlan({ stream, target, write, schema }: SinkStream): TablePlan {
  return {
    stream,
    target,
    write,
    protocol: 'atomic',
    schema,
    publish: write === 'replace' ? 'swap' : 'none',
    exists: false,
    ddl: [],
    types: schema.fields.map(({ name }) => ({ column: name, from: '', to: '', verdict: 'exact' as const })),
    detail: {},
  };
}

const nothing = { check: async () => {} };

function unasked(): never {
  throw new Error('planning asks for nothing else');
}
