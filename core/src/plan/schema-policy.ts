/**
 * What becomes of a stream that has another shape than the one its sinks have so far: columns that are new, and columns
 * of other types. Columns that are gone stay in the targets, and new rows leave them empty.
 */
import {
  type Batch,
  type BoundTransform,
  type Column,
  fieldIndex,
  formatType,
  isValid,
  type StreamSchema,
  sameType,
} from '@sluice/sdk';
import { coreErrors } from '../errors.js';

/**
 * - `evolve`: the targets follow.
 * - `freeze`: the run ends before anything is written.
 * - `discard_row`: rows that bring what is new are rejected, and those that do not are kept.
 * - `discard_value`: what is new is left out.
 */
export const EVOLUTIONS = ['evolve', 'freeze', 'discard_row', 'discard_value'] as const;
export type Evolution = (typeof EVOLUTIONS)[number];

export interface SchemaPolicy {
  /** Streams that the flow has not read before. */
  readonly tables: Evolution;
  readonly columns: Evolution;
  readonly types: Evolution;
}

export interface ColumnChange {
  readonly column: string;
  readonly from: string;
  readonly to: string;
}

export interface SchemaDifference {
  readonly added: readonly string[];
  readonly gone: readonly string[];
  readonly changed: readonly ColumnChange[];
}

export function schemaDifference(known: StreamSchema, now: StreamSchema): SchemaDifference {
  const before = new Map(known.fields.map((f) => [f.name, f.type]));
  const after = new Set(now.fields.map(({ name }) => name));
  return {
    added: now.fields.filter(({ name }) => !before.has(name)).map(({ name }) => name),
    gone: known.fields.filter(({ name }) => !after.has(name)).map(({ name }) => name),
    changed: now.fields.flatMap(({ name, type }) => {
      const was = before.get(name);
      if (was === undefined || sameType(was, type)) return [];
      return [{ column: name, from: formatType(was), to: formatType(type) }];
    }),
  };
}

/** Binds the transform that gives columns other types. */
export type BindCast = (
  schema: StreamSchema,
  columns: { readonly [column: string]: string },
  unfit: 'fail' | 'null',
) => Promise<BoundTransform>;

export interface SettledSchema {
  /** What brings the rows to a shape that the policy allows. */
  readonly transforms: readonly BoundTransform[];
  /** Remarks for people. */
  readonly notes: readonly string[];
}

/** What is done about a stream's changes. Throws `SLUICE-CORE-0115` where the policy freezes what has changed. */
export async function settleSchema(
  known: StreamSchema,
  now: StreamSchema,
  policy: SchemaPolicy,
  bindCast: BindCast,
): Promise<SettledSchema> {
  const { added, gone, changed } = schemaDifference(known, now);
  const frozen = [
    ...(policy.columns === 'freeze' ? added.map((column) => `column ${column} is new`) : []),
    ...(policy.columns === 'freeze' ? gone.map((column) => `column ${column} is gone`) : []),
    ...(policy.types === 'freeze' ? changed.map(changeText) : []),
  ];
  if (frozen.length > 0) {
    throw coreErrors.schemaFrozen(`stream ${now.stream} has changed: ${frozen.join('; ')}`, {
      details: { stream: now.stream, changes: frozen },
    });
  }
  const transforms: BoundTransform[] = [];
  const notes = gone.map((column) => `column ${column} is gone from the source; new rows leave it empty`);
  let schema = now;
  if (changed.length > 0 && policy.types !== 'evolve') {
    const columns = Object.fromEntries(changed.map(({ column, from }) => [column, from]));
    const cast = await bindCast(schema, columns, policy.types === 'discard_value' ? 'null' : 'fail');
    transforms.push(cast);
    schema = cast.out;
    const what = policy.types === 'discard_value' ? 'values' : 'rows';
    notes.push(...changed.map((change) => `${changeText(change)}; ${what} that do not fit are discarded`));
  }
  if (added.length > 0 && policy.columns !== 'evolve') {
    transforms.push(withoutColumns(schema, added, policy.columns === 'discard_row'));
    const what = policy.columns === 'discard_value' ? 'its values' : 'rows with a value in it';
    notes.push(...added.map((column) => `column ${column} is new; ${what} are discarded`));
  }
  return { transforms, notes };
}

function changeText({ column, from, to }: ColumnChange): string {
  return `column ${column} was ${from} and is ${to}`;
}

/** Leaves columns out; with `refuses`, rows that have a value in one of them are refused. */
function withoutColumns(schema: StreamSchema, names: readonly string[], refuses: boolean): BoundTransform {
  const kept = schema.fields.map((_, i) => i).filter((i) => !names.includes(schema.fields[i]!.name));
  const out = { ...schema, fields: kept.map((i) => schema.fields[i]!) };
  const gone = names.map((name) => fieldIndex(schema, name));
  return {
    out,
    reads: refuses ? names : [],
    writes: [],
    rung: 'columns',
    apply(batch) {
      if (refuses) for (const i of gone) refuseValues(batch, i);
      const { before } = batch;
      const earlier = before?.derive(out, kept);
      return [batch.derive(out, kept, undefined, earlier === undefined ? {} : { before: earlier })];
    },
  };
}

function refuseValues(batch: Batch, i: number): void {
  const column = batch.column(i);
  const row = firstValue(column, batch);
  if (row === undefined) return;
  const { name } = batch.schema.fields[i]!;
  throw coreErrors.rowDiscarded(
    `${batch.stream}, column ${name}, row ${row} of a batch: the column is new, and rows with values in it are discarded`,
    { details: { stream: batch.stream, column: name, row } },
  );
}

function firstValue(column: Column, batch: Batch): number | undefined {
  for (let row = 0; row < column.length; row++) {
    if (batch.opAt(row) === 'delete') continue;
    if (isValid(column, row) || column.special?.has(row) === true) return row;
  }
  return undefined;
}
