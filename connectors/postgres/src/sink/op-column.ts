/** Columns that a writer's temporary tables have beside the stream's own. */
import { type Batch, type Column, OPS } from '@sluice/sdk';

/** 0 for rows to write, 1 for rows to delete. */
export const OP_COLUMN = '_sluice_op';
/** Rises with every row, so that the last one of a key can be told. */
export const ORDER_COLUMN = '_sluice_n';

const DELETE = OPS.indexOf('delete');

/** The values of {@link OP_COLUMN} for a batch. */
export function opColumn({ op, rowCount }: Batch): Column {
  const values = new Int16Array(rowCount);
  if (typeof op === 'string') values.fill(op === 'delete' ? 1 : 0);
  else for (let i = 0; i < rowCount; i++) values[i] = op[i] === DELETE ? 1 : 0;
  return { length: rowCount, data: { layout: 'fixed', values } };
}
