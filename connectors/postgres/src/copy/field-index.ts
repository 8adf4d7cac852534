/**
 * Finds the fields of rows that came as CopyData messages, in one walk over the lengths. Offsets are kept column by
 * column, so that each decoder then runs through one array.
 */
import { pgErrors } from '../errors.js';
import type { Cells } from './cells.js';

export class FieldIndex {
  private readonly view: DataView;
  private readonly starts: Int32Array;
  private readonly nulls: Int32Array;

  constructor(
    private readonly bytes: Buffer,
    private readonly rows: number,
    private readonly columns: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.starts = new Int32Array(rows * columns);
    this.nulls = new Int32Array(columns);
    this.walk();
  }

  cells(column: number): Cells {
    const { bytes, view, rows } = this;
    const starts = this.starts.subarray(column * rows, (column + 1) * rows);
    return { bytes, view, starts, nulls: this.nulls[column]! };
  }

  private walk(): void {
    const { view, starts, nulls, rows, columns } = this;
    const size = rows * columns;
    let at = 5;
    for (let row = 0; row < rows; row++) {
      if (view.getInt16(at) !== columns) {
        throw pgErrors.protocol(`a row of ${columns} columns came with ${view.getInt16(at)} fields`);
      }
      at += 2;
      for (let slot = row, column = 0; slot < size; slot += rows, column++) {
        const length = view.getInt32(at);
        at += 4;
        if (length < 0) {
          starts[slot] = -1;
          nulls[column]!++;
        } else {
          starts[slot] = at;
          at += length;
        }
      }
      at += 5;
    }
  }
}
