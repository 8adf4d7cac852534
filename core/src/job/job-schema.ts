/** The job file's schema, key by key, with the descriptions that editors and the documentation show. */
import {
  DELETES,
  isSluiceError,
  parseType,
  READ_MODES,
  SAVE_MODES,
  templateProblem,
  WRITE_MODES,
} from '@sluice/sdk';
import { z } from 'zod';
import { EVOLUTIONS } from '../plan/schema-policy.js';
import { parseDuration } from './duration.js';
import { parsePercentage } from './percentage.js';
import { parseCount, parseRate } from './rate.js';
import { parseSize } from './size.js';

/** What is done when a source keeps more of its log than the job allows. */
export const WHEN_OVER = ['warn', 'pause-copies', 'drop-and-copy'] as const;

/** What is done when a stream fails that others are followed with. */
export const ON_STREAM_FAILURE = ['stop', 'quarantine'] as const;

/** Names are identity and part of paths like `job/flow/sink`. */
export const nameSchema = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, {
    error: 'must consist of letters, digits, "-", "_" and ".", and begin with a letter or digit',
  });

const was = nameSchema
  .optional()
  .describe('What this was called before; keeps its state through a change of name.');

const duration = z.string().refine((text) => (parseDuration(text) ?? 0) > 0, {
  error: 'must be a duration such as "500ms", "1s" or "5m"',
});
const size = z
  .string()
  .refine((text) => (parseSize(text) ?? 0) > 0, { error: 'must be a size such as "64MB" or "512Mi"' });
const memory = z.string().refine((text) => (parseSize(text) ?? 0) > 0 || (parsePercentage(text) ?? 0) > 0, {
  error: 'must be a size such as "512Mi" or a share such as "50%"',
});
const count = z.int().min(1);

const rate = z.strictObject({
  rows: z
    .string()
    .refine((text) => parseRate(text, parseCount) !== undefined, {
      error: 'must be a rate such as "5000/s", "600/m" or "100/h"',
    })
    .optional()
    .describe('Most rows: 5000/s, 600/m, 100/h.'),
  bytes: z
    .string()
    .refine((text) => parseRate(text, parseSize) !== undefined, {
      error: 'must be a rate such as "10MiB/s" or "1GB/h"',
    })
    .optional()
    .describe('Most bytes: 10MiB/s, 1GB/h.'),
});

const typeText = z.string().superRefine((text, c) => {
  try {
    parseType(text);
  } catch (error) {
    c.addIssue({ code: 'custom', message: isSluiceError(error) ? error.message : `"${text}" is no type` });
  }
});

const pattern = z.string().min(1);
const patterns = z.array(pattern).min(1);
const options = z.record(z.string(), z.unknown());

const evolution = z
  .enum(EVOLUTIONS)
  .describe(
    'evolve: the targets follow. freeze: the run ends. discard_row: rows that bring what is new are rejected. discard_value: what is new is left out.',
  );

export const connectionSchema = z
  .looseObject({
    connector: z.string().min(1).describe('Name, package or path (./mine) of the connector.'),
  })
  .describe('A connection: a connector and its own keys.');

const mode = z
  .enum(READ_MODES)
  .describe(
    'How streams are read. full: everything in each run (default). incremental: what is new. cdc: the past, then every change.',
  );

const onFailure = z
  .enum(ON_STREAM_FAILURE)
  .optional()
  .describe(
    'What the flow does when something is wrong with one stream alone, in mode cdc. stop: it fails (default). quarantine: it goes on without the stream, which is copied anew by `sluice resync`.',
  );

const streamSchema = z
  .strictObject({
    mode: mode.optional(),
    onFailure,
    key: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Columns that identify a row, where the source declares no key or another one is wanted.'),
    cursor: z
      .strictObject({
        column: z.string().min(1).describe('Column that grows with every new or changed row.'),
        clock: z
          .enum(['database', 'application'])
          .optional()
          .describe(
            'Whose clock sets it. `database`: its own, inside the writing transaction; `application` (default): read with a lag.',
          ),
        zone: z
          .string()
          .min(1)
          .optional()
          .describe('Time zone of its values, by name (UTC, Europe/Berlin), where its type keeps none.'),
        lag: duration
          .optional()
          .describe('How late a writer may be, where the source cannot see that nobody is. Default: 1m.'),
      })
      .optional()
      .describe('What incremental reading goes by.'),
    columns: z
      .record(
        z.string(),
        z.strictObject({
          type: typeText.optional().describe('The type to cast to: decimal(12,2), timestamp, list<int32>, …'),
        }),
      )
      .optional()
      .describe('Settings of single columns.'),
    source: options.optional().describe("Options of the source's connector for this stream."),
    was,
  })
  .describe('Settings of the streams that a pattern matches.');

const streamsSchema = z
  .union([patterns, z.record(pattern, z.union([streamSchema, z.literal(false)]))])
  .describe(
    'Which streams, by name or pattern (* stands for any characters): a list, or settings by pattern. Patterns apply from the broadest to the exact one; false leaves streams out. Without this key: all streams.',
  );

const transformSchema = z
  .looseObject({
    use: z.string().min(1).describe('Name of the transform.'),
    streams: patterns.optional().describe('Streams that it is for; without this key: all of them.'),
  })
  .describe("A transform and its own keys, applied in the list's order.");
const transforms = z.array(transformSchema).optional().describe('What happens to the rows on their way.');

const write = z
  .enum(WRITE_MODES)
  .optional()
  .describe(
    'append: add rows, of changes a log of them. upsert: insert or update by key. replace: the new copy takes the place of the old one. mirror: upsert, and delete what the source no longer has. history: of changes, every version of a row with the times between which it was so.',
  );
const deletes = z
  .enum(DELETES)
  .optional()
  .describe(
    'What becomes of rows that are deleted at the source, in read mode cdc with write mode upsert. hard: they are deleted (default). soft: they stay, with the time in the column _deleted_at.',
  );
const save = z
  .enum(SAVE_MODES)
  .optional()
  .describe(
    'What happens to a table that is there. keep: use it, create a missing one (default). recreate: drop and create it with each full copy. require: it must be there. fail: it must not be there.',
  );

const sinkStreamSchema = z
  .strictObject({
    write,
    deletes,
    save,
    name: z
      .string()
      .min(1)
      .superRefine((text, c) => {
        const problem = templateProblem(text);
        if (problem !== undefined) c.addIssue({ code: 'custom', message: problem });
      })
      .optional()
      .describe(
        "Name of the target; {stream}, {schema} and {name} stand for parts of the stream's name. Behind a colon they are written in another case or shortened: {stream:lower}, {stream:upper}, {stream:40} (bytes; what is longer is cut and ends in a digest). Default: {name}.",
      ),
    options: options.optional().describe("Options of the sink's connector."),
  })
  .describe('How the streams that a pattern matches are written.');

const sinkSchema = sinkStreamSchema
  .extend({
    to: z.string().min(1).describe('Name of the connection that is written to.'),
    only: patterns.optional().describe('Streams that this sink takes; without this key: all of the flow.'),
    onFailure: z
      .enum(['stop', 'detach'])
      .optional()
      .describe(
        'What the flow does when this sink fails. stop: it fails too (default). detach: it goes on without the sink, which keeps its place and is caught up later.',
      ),
    streams: z.record(pattern, sinkStreamSchema).optional().describe('Settings by stream name or pattern.'),
    was,
  })
  .describe('Where a flow writes.');

const changes = z
  .strictObject({
    from: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Where changes are read from. copy: all of the past is copied first (default). now: from the first run on, without a copy. A place of the log, as the source names it: from there on, without a copy, where the source still has it.',
      ),
    keep: size
      .optional()
      .describe(
        'Bytes of its log that the source may keep on its disk for the flow: 10GiB. Default: it says when it minds.',
      ),
    whenOver: z
      .enum(WHEN_OVER)
      .optional()
      .describe(
        'What is done when it keeps more. warn: tell (default). pause-copies: tables that are copied beside the log wait until it is read. drop-and-copy: the log is given up, and everything copied anew.',
      ),
  })
  .describe('How the log is treated that mode cdc reads.');

const flowSchema = z
  .strictObject({
    source: z.string().min(1).describe('Name of the connection that is read.'),
    mode: mode.optional(),
    onFailure,
    changes: changes.optional(),
    rate: rate.optional().describe('How fast this flow reads its source at most.'),
    streams: streamsSchema.optional(),
    transforms,
    sinks: z
      .record(nameSchema, sinkSchema)
      .describe('The sinks of the flow, by name: each row is read once and goes to all of them.'),
    was,
  })
  .describe('One source, its transforms and its sinks.');

const engineShape = {
  $schema: z.string().optional().describe('Path or URL of this schema, for editors.'),
  version: z.literal(1).optional().describe('Version of the job format.'),
  name: nameSchema.describe("The job's name: its identity in the ledger and in sinks."),
  delivery: z
    .strictObject({
      require: z
        .enum(['exactly-once', 'effectively-once', 'at-least-once'])
        .optional()
        .describe('The weakest guarantee that the plan may have.'),
      commit: z
        .strictObject({
          every: duration.optional().describe('Longest time between commits: 500ms, 10s, 5m.'),
          rows: count.optional().describe('Most rows of a commit.'),
          bytes: size.optional().describe('Most bytes of a commit: 64MB, 512Mi.'),
        })
        .optional()
        .describe('When to commit; whichever bound is met first. Default: what suits the sink.'),
      except: z
        .array(z.string().min(1))
        .optional()
        .describe('Sinks, as flow.sink, that `require` does not hold for.'),
    })
    .optional()
    .describe('Guarantees and commits.'),
  types: z
    .strictObject({
      lossy: z
        .enum(['fail', 'warn', 'string'])
        .optional()
        .describe(
          'What to do about columns that the sink cannot keep exactly. fail: do not run (default). warn: bend the values. string: keep them as text.',
        ),
    })
    .optional()
    .describe('How types are mapped.'),
  schema: z
    .strictObject({
      tables: evolution.optional().describe('Streams that the flow has not read before. Default: evolve.'),
      columns: evolution.optional().describe('Columns that are new or gone. Default: evolve.'),
      types: evolution.optional().describe('Columns of another type. Default: evolve.'),
    })
    .optional()
    .describe('What becomes of streams that have changed since the last run.'),
  errors: z
    .strictObject({
      deadLetter: z
        .string()
        .min(1)
        .default('ledger')
        .describe(
          'Where rows that cannot be kept go: `ledger` (default), or the name of a connection, which gets a table `dead_letters`.',
        ),
      max: z
        .union([
          z.int().min(0),
          z.string().refine((text) => parsePercentage(text) !== undefined, {
            error: 'must be a number of rows or a share such as "0.1%"',
          }),
        ])
        .default('1%')
        .describe(
          'How many rows may be rejected before the run fails: a number, or a share of what is read (of at least 1,000 rows).',
        ),
      window: duration
        .optional()
        .describe('Count only what this last span of time has brought, for runs that go on: 10m, 1h.'),
    })
    .optional()
    .describe(
      'Tolerates rows that cannot be read, transformed or written, and keeps them as dead letters. Without this key the first one ends the run.',
    ),
  memory: memory
    .optional()
    .describe('Bytes that may be held at once, or a share of what the container or machine has: 512Mi, 50%.'),
  rate: rate.optional().describe('How fast the job reads at most, all its flows and lanes together.'),
  parallel: count.optional().describe('Most lanes that run at once.'),
  again: z.boolean().optional().describe('Append everything once more though a full append is complete.'),
  allowEmpty: z.boolean().optional().describe('Let zero rows replace a table that has some.'),
  was,
};

/** The long form: connections by name, flows by name. */
export const longJobSchema = z
  .strictObject({
    ...engineShape,
    connections: z.record(nameSchema, connectionSchema).describe('The systems that the job uses, by name.'),
    flows: z.record(nameSchema, flowSchema).describe('What the job does, by name.'),
  })
  .describe('A job with named connections and flows.');

/** The short form: one source, one sink. It stands for connections `source` and `sink`, flow `main` and sink `main`. */
export const shortJobSchema = z
  .strictObject({
    ...engineShape,
    source: connectionSchema.describe('The connection that is read: a connector and its own keys.'),
    mode: mode.optional(),
    onFailure,
    changes: changes.optional(),
    streams: streamsSchema.optional(),
    transforms,
    sink: connectionSchema.describe('The connection that is written to: a connector and its own keys.'),
    write,
    deletes,
    save,
    options: sinkStreamSchema.shape.options,
  })
  .describe('A job with one source and one sink.');

export type LongJobInput = z.input<typeof longJobSchema>;
export type ShortJobInput = z.input<typeof shortJobSchema>;
export type StreamInput = z.input<typeof streamSchema>;
export type SinkStreamInput = z.input<typeof sinkStreamSchema>;
export type FlowInput = z.input<typeof flowSchema>;
