/** Which columns a target that is there lacks, and which of them its rows get a value in when they are added. */
import { type Field, type Fill, type SinkStream, valueFromJson } from '@sluice/sdk';
import { valueText } from '../types/value-text.js';
import type { ColumnPlan } from './plan-columns.js';
import type { PlannedColumn } from './table-detail.js';
import type { Target } from './target.js';

export interface FillPlan {
  readonly added: ReadonlyMap<string, NonNullable<PlannedColumn['fill']>>;
  /** Those, and others that were added so before. */
  readonly all: readonly string[];
  readonly lacks: readonly string[];
}

/** `before`: the columns that the target was filled in, with what they are at the source. */
export function planFills(
  { schema, fills = [] }: SinkStream,
  plans: readonly ColumnPlan[],
  target: Target,
  before: { readonly [column: string]: string },
): FillPlan {
  const there = new Set(target.columns.map(({ name }) => name));
  const lacks = schema.fields.map(({ name }) => name).filter((name) => !there.has(name));
  const added = new Map<string, NonNullable<PlannedColumn['fill']>>();
  for (const [i, f] of schema.fields.entries()) {
    const fill = fills.find(({ column }) => column === f.name);
    if (fill === undefined || there.has(f.name)) continue;
    const text = fillText(f, fill, plans[i]!.column);
    if (text !== undefined) added.set(f.name, { text, id: fill.id });
  }
  const known = fills.filter(({ column, id }) => there.has(column) && before[column] === id);
  return { added, all: [...added.keys(), ...known.map(({ column }) => column)], lacks };
}

/** Text that the column's type reads as what rows get by being written; nothing where that is not certain. */
function fillText(f: Field, { value }: Fill, { type, wire, viaText }: PlannedColumn): string | undefined {
  const isText = f.type.kind === 'string' || f.type.kind === 'native' || f.type.kind === 'enum';
  const asText = viaText || wire.kind === 'text' || wire.kind === 'bpchar' || wire.kind === 'array';
  if (asText && !isText && f.native !== type) return undefined;
  return valueText(f.type, valueFromJson(f.type, value));
}
