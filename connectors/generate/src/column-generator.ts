/** Compiles a column's spec into a function that makes the column for any rows. */
import { type Column, clearBit, filledBitmap } from '@sluice/sdk';
import { blankRows } from './blank-rows.js';
import type { ColumnSpec } from './column-spec.js';
import * as fixed from './fixed-columns.js';
import { fieldOf } from './logical-type.js';
import * as nested from './nested-columns.js';
import { type Cells, fraction, integerBelow, keyedStates, keyOf, mix } from './random.js';
import { bytesLayout, pickLayout, textLayout, wordsLayout } from './text-columns.js';

/** A generator of one column; `path` (stream and column name) makes it independent of all others. */
export function columnGenerator(path: string, spec: ColumnSpec): nested.MakeColumn {
  const key = keyOf(path);
  const make = layoutMaker(path, spec);
  return (cells) => withoutValues(spec, { length: cells.states.length, data: make(cells, key) }, cells, key);
}

function layoutMaker(path: string, spec: ColumnSpec): fixed.MakeLayout {
  switch (spec.type) {
    case 'null':
      return () => ({ layout: 'none' });
    case 'sequence':
      return fixed.sequenceLayout(spec);
    case 'int':
      return fixed.intLayout(spec);
    case 'float':
      return fixed.floatLayout(spec);
    case 'decimal':
      return fixed.decimalLayout(spec);
    case 'bool':
      return fixed.boolLayout(spec);
    case 'uuid':
      return fixed.uuidLayout();
    case 'date':
      return fixed.dateLayout(spec);
    case 'time':
    case 'duration':
      return fixed.timeLayout(spec);
    case 'timestamp':
      return fixed.timestampLayout(spec);
    case 'interval':
      return fixed.intervalLayout(spec);
    case 'text':
      return textLayout(spec);
    case 'words':
      return wordsLayout(spec);
    case 'bytes':
      return bytesLayout(spec);
    case 'pick':
      return pickLayout(spec.values, spec.weights);
    case 'native':
      return pickLayout(spec.values);
    case 'json':
      return nested.jsonLayout(members(path, spec.fields));
    case 'struct':
      return nested.structLayout(members(path, spec.fields));
    case 'union':
      return nested.unionLayout(members(path, spec.variants));
    case 'list':
      return nested.listLayout(spec, columnGenerator(`${path}[]`, spec.item));
    case 'map':
      return nested.mapLayout(
        spec,
        ...(members(path, { key: spec.key, value: spec.value }) as [nested.Member, nested.Member]),
      );
  }
}

function members(path: string, specs: { readonly [name: string]: ColumnSpec }): nested.Member[] {
  return Object.entries(specs).map(([name, spec]) => ({
    field: fieldOf(name, spec),
    make: columnGenerator(`${path}.${name}`, spec),
  }));
}

/** Takes values away where the spec wants nulls and special values. */
function withoutValues(spec: ColumnSpec, column: Column, cells: Cells, key: number): Column {
  if (spec.type === 'sequence' || spec.type === 'null') return column;
  const { nulls = 0, special } = spec;
  if (nulls === 0 && special === undefined) return column;
  const states = keyedStates(cells, mix(key ^ 0x6e756c6c));
  const keep = filledBitmap(column.length);
  const texts = new Map<number, string>();
  for (let i = 0; i < column.length; i++) {
    const drawn = fraction(states[i]!);
    if (drawn < nulls) {
      clearBit(keep, i);
    } else if (special !== undefined && drawn < nulls + special.share) {
      clearBit(keep, i);
      texts.set(i, special.values[integerBelow(states[i]!, special.values.length, 2)]!);
    }
  }
  return { ...blankRows(column, keep), ...(texts.size > 0 && { special: texts }) };
}
