/** Lists, structs, maps and unions from cells that are JSON; intervals, durations and the null type. Not a hot path. */
import { columnBuilder, type Field, isSluiceError, type Value } from '@sluice/sdk';
import { parseJson } from '../jsonl/tree.js';
import { type ExtraMembers, treeValue } from '../jsonl/tree-value.js';
import type { CellDecoder } from './cell-decoder.js';
import { NULL } from './cells.js';
import { parseDuration, parseInterval } from './durations.js';

/** Cells that are documents: undefined is no document of the type. */
export function documents(field: Field, extra: ExtraMembers): CellDecoder {
  return built(field, (text) => {
    const tree = parseJson(text);
    return tree === undefined || tree === null ? undefined : treeValue(field.type, tree, extra);
  });
}

export function intervals(field: Field): CellDecoder {
  return built(field, parseInterval as (text: string) => Value | undefined);
}

export function durations(field: Field, unit: 'us' | 'ns'): CellDecoder {
  return built(field, (text) => parseDuration(text, unit));
}

/** A column in which nothing stands. */
export function nothings(field: Field): CellDecoder {
  return built(field, () => undefined);
}

function built(field: Field, parse: (text: string) => Value | undefined): CellDecoder {
  return (table, column, from, to) => {
    const builder = columnBuilder(field, to - from);
    for (let row = from; row < to; row++) {
      if (table.kindOf(row, column) === NULL) {
        if (!field.nullable) throw table.owner.missingValue(table, row, column);
        builder.append(null);
        continue;
      }
      const text = table.textOf(row, column);
      const value = parse(text);
      if (value === undefined) throw table.owner.badValue(table, row, column, text);
      try {
        builder.append(value);
      } catch (error) {
        if (!isSluiceError(error)) throw error;
        throw table.owner.badValue(table, row, column, text, error.message);
      }
    }
    return builder.finish();
  };
}
