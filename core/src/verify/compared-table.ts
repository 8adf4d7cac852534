/** Which columns of what arrives at a target are compared with which of the target's, and how. */
import { type Field, formatType, type StreamSchema, type TablePlan } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import { counterpart, type FormPair, valueForms } from './value-form.js';

export interface ComparedColumn {
  readonly name: string;
  /** Whether rows are told apart by it. */
  readonly key: boolean;
  /** Places of the column in what arrives, and in the target. */
  readonly source: number;
  readonly target: number;
  readonly forms: FormPair;
}

export interface ComparedTable {
  readonly columns: readonly ComparedColumn[];
  /** Whether rows are told apart by a key; otherwise equal rows are counted. */
  readonly keyed: boolean;
  /** Whether of several rows with one key the last one read is what the target holds. */
  readonly lastCounts: boolean;
  /** Remarks for people: columns that are not compared, and why. */
  readonly notes: readonly string[];
}

/** Throws `SLUICE-CORE-0152` for a column that the target does not have, and for a key that cannot be compared. */
export function comparedTable(
  { schema, target, types, write }: TablePlan,
  found: StreamSchema,
): ComparedTable {
  const columns: ComparedColumn[] = [];
  const notes: string[] = [];
  for (const [source, field] of schema.fields.entries()) {
    const other = counterpart(field.name, found.fields);
    if (other === undefined) throw coreErrors.verifyRefused(`${target} has no column ${field.name}`);
    const verdict = types.find(({ column }) => column === field.name);
    const forms =
      verdict?.verdict === 'lossy' && !isForeseen(field, other) ? undefined : valueForms(field, other);
    const key = schema.key.includes(field.name);
    if (forms !== undefined) {
      columns.push({ name: field.name, key, source, target: found.fields.indexOf(other), forms });
      continue;
    }
    const why = verdict?.note ?? `it is ${formatType(field.type)} there and ${formatType(other.type)} here`;
    if (key) throw coreErrors.verifyRefused(`column ${field.name} of the key of ${target}: ${why}`);
    notes.push(`column ${field.name} is not compared: ${why}`);
  }
  const replaces = write === 'upsert' || write === 'mirror';
  return { columns, keyed: schema.key.length > 0, lastCounts: replaces && schema.key.length > 0, notes };
}

/** Whether it is known to what a value is bent in a column that cannot keep all of them. */
function isForeseen(from: Field, to: Field): boolean {
  const [{ type: source }, { type: target, native = '' }] = [from, to];
  if (source.kind === 'list' && target.kind === 'list')
    return isForeseen(source.item, { ...target.item, native });
  switch (target.kind) {
    case 'time':
    case 'timestamp':
    case 'interval':
      // A precision is written with the type, and what is rounded to it differs from system to system.
      return !/\(\d\)/.test(native) && (target.kind !== 'interval' || !/ /.test(native));
    case 'struct':
      return source.kind === 'timestamp';
    case 'json':
    case 'decimal':
    case 'float':
      return true;
    default:
      return false;
  }
}
