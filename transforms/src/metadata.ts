/** `metadata`: adds columns that say where rows come from. */
import {
  type Batch,
  type Column,
  columnOf,
  defineTransform,
  type Field,
  OPS,
  parseTimestamp,
  types,
  UNCHANGED,
} from '@sluice/sdk';
import { z } from 'zod';
import { deriveColumns, type MapColumns, schemaOf } from './derive.js';
import { transformErrors } from './errors.js';

const KINDS = ['stream', 'loaded_at', 'op', 'deleted'] as const;
type Kind = (typeof KINDS)[number];

const DEFAULT_COLUMNS: { [name: string]: Kind } = { _stream: 'stream', _loaded_at: 'loaded_at', _op: 'op' };

const isTimestamp = (text: string) => parseTimestamp(text, 'us', 'utc') !== undefined;

/**
 * `loaded_at` is one instant for all rows: that at which the transform was bound, which is when the run started,
 * or the one that the job gives. So applying it again to the same rows within a run yields the same rows.
 */
export const metadataTransform = defineTransform({
  name: 'metadata',
  title: 'Adds columns with the stream, the time of the run and the kind of change',
  options: z.strictObject({
    columns: z
      .record(z.string(), z.enum(KINDS))
      .default(DEFAULT_COLUMNS)
      .describe(
        'What each new column holds: `stream` (the name of the stream in the source), `loaded_at` (an instant, the same for every row of a run), `op` (insert, update, delete, upsert or move), `deleted` (whether the op is a delete).',
      ),
    loadedAt: z
      .string()
      .refine(isTimestamp, 'expected a timestamp with an offset, such as 2024-02-29T13:45:00Z')
      .optional()
      .describe('The instant for `loaded_at`; by default the start of the run.'),
  }),
  errors: transformErrors,
  bind(schema, { columns, loadedAt }) {
    const instant =
      loadedAt === undefined ? BigInt(Date.now()) * 1000n : parseTimestamp(loadedAt, 'us', 'utc')!;
    const added = Object.entries(columns);
    const fields: Field[] = added.map(([name, kind]) => ({ name, type: typeOf(kind), nullable: false }));
    const out = schemaOf('metadata', schema, [...schema.fields, ...fields], schema.key);
    const kept = schema.fields.map((_, i) => i);
    const columnsOf: MapColumns = (batch, image) => [
      ...kept,
      ...added.map(
        ([, kind], i) =>
          () =>
            image === 'row' || kind === 'stream'
              ? make(kind, batch, schema.stream, instant)
              : unsent(fields[i]!, batch.rowCount),
      ),
    ];
    return {
      out,
      reads: [],
      writes: added.map(([name]) => name),
      rung: 'columns',
      apply: (batch) => [deriveColumns(batch, out, columnsOf)],
    };
  },
});

/** The row before came with another op, and maybe in another run: neither is known. */
function unsent(f: Field, rows: number): Column {
  return columnOf({ ...f, nullable: true }, new Array(rows).fill(UNCHANGED));
}

function typeOf(kind: Kind) {
  if (kind === 'loaded_at') return types.timestamp;
  return kind === 'deleted' ? types.bool : types.string;
}

function make(kind: Kind, batch: Batch, stream: string, instant: bigint): Column {
  const { rowCount, op } = batch;
  switch (kind) {
    case 'stream':
      return words(rowCount, [stream], () => 0);
    case 'loaded_at':
      return {
        length: rowCount,
        data: { layout: 'fixed', values: new BigInt64Array(rowCount).fill(instant) },
      };
    case 'op':
      return typeof op === 'string' ? words(rowCount, [op], () => 0) : words(rowCount, OPS, (i) => op[i]!);
    case 'deleted': {
      const values = new Uint8Array((rowCount + 7) >> 3);
      for (let i = 0; i < rowCount; i++) if (batch.opAt(i) === 'delete') values[i >> 3]! |= 1 << (i & 7);
      return { length: rowCount, data: { layout: 'bits', values } };
    }
  }
}

/** A text column of a few words. */
function words(rows: number, choice: readonly string[], at: (row: number) => number): Column {
  const encoded = choice.map((word) => Buffer.from(word));
  const offsets = new Int32Array(rows + 1);
  for (let i = 0; i < rows; i++) offsets[i + 1] = offsets[i]! + encoded[at(i)]!.length;
  const data = new Uint8Array(offsets[rows]!);
  for (let i = 0; i < rows; i++) data.set(encoded[at(i)]!, offsets[i]!);
  return { length: rows, data: { layout: 'varlen', offsets, data } };
}
