/**
 * Finds the fields of rows that came as CopyData messages, in one walk over the lengths. Offsets are kept column by
 * column, so that each decoder then runs through one array. A field that is null has the complement of the offset at
 * which its value would be.
 */
import { pgErrors } from '../errors.js';
import type { Cells } from './cells.js';

export class FieldIndex {
  /** Over the same bytes. */
  readonly view: DataView;
  private readonly starts: Int32Array;
  private readonly nulls: Int32Array;

  constructor(
    readonly bytes: Buffer,
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

  /** Where the field of a row begins: at its length. */
  begin(column: number, row: number): number {
    const start = this.starts[column * this.rows + row]!;
    return (start < 0 ? ~start : start) - 4;
  }

  /** Where it ends. */
  end(column: number, row: number): number {
    const start = this.starts[column * this.rows + row]!;
    return start < 0 ? ~start : start + this.view.getInt32(start - 4);
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
          starts[slot] = ~at;
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
