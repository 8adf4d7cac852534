/** Whether a new table can take a target's place. */
import type { SaveMode } from '@sluice/sdk';
import { folded } from './identifiers.js';
import { makerOf, type TableShape } from './table-shape.js';

/**
 * Why the target cannot be dropped for a new table that has `columns`, in words; undefined when it can: the sink
 * made it and nothing has been hung on it since. Views find their tables by name and are no obstacle.
 */
export function swapObstacle(
  shape: TableShape,
  columns: readonly string[],
  save: SaveMode,
): string | undefined {
  // To recreate is to drop, whoever made it; what refers to it still forbids it.
  if (save === 'recreate') return undefined;
  if (save === 'require') return 'the job requires the table, so it is kept';
  if (makerOf(shape) === undefined) return 'the sink did not make it';
  if (shape.indexes.length > 0) return `it has the index ${shape.indexes[0]}`;
  if (shape.constraints.length > 0) return `it has the constraint ${shape.constraints[0]}`;
  const names = new Set(columns.map((name) => folded(name)));
  for (const column of shape.columns) {
    if (!names.has(folded(column.name))) return `the source has no column ${column.name}`;
    if (column.hasDefault) return `column ${column.name} has a default`;
    if (column.hasComment) return `column ${column.name} has a comment`;
  }
  return undefined;
}
