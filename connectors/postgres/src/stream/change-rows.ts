/** Gathers the changes of one table that came in one piece of the log: where they are, nothing else. */
import { OPS, type Op } from '@sluice/sdk';
import { ChangeIndex, NO_TUPLE } from './change-index.js';
import { TransactionList } from './transaction-list.js';

const FIRST_ROWS = 256;

export class ChangeRows {
  rows = 0;
  /** Bytes of their messages. */
  byteSize = 0;
  private ops = new Uint8Array(FIRST_ROWS);
  private tuples = new Int32Array(FIRST_ROWS);
  private olds = new Int32Array(FIRST_ROWS);
  private mixed = false;
  private hasOld = false;
  /** Whose changes they are: added to with each row. */
  readonly origins = new TransactionList();

  constructor(
    private readonly bytes: Buffer,
    /** Which columns tell old rows apart, one entry a column. */
    private readonly identity: readonly boolean[],
  ) {}

  /** A row by its tuple, and the tuple of what it was where that was sent. */
  add(op: number, tuple: number, old: number, length: number): void {
    const { rows } = this;
    if (rows === this.ops.length) this.grow();
    this.ops[rows] = op;
    this.tuples[rows] = tuple;
    this.olds[rows] = old;
    this.mixed ||= op !== this.ops[0];
    this.hasOld ||= old !== NO_TUPLE;
    this.byteSize += length;
    this.rows = rows + 1;
  }

  get op(): Op | Uint8Array {
    return this.mixed ? this.ops.subarray(0, this.rows) : OPS[this.ops[0]!]!;
  }

  /** The rows, and what they were before where that was sent of any. */
  index(): { readonly now: ChangeIndex; readonly before: ChangeIndex | undefined } {
    const { bytes, rows, identity } = this;
    const columns = identity.length;
    const before = this.hasOld
      ? new ChangeIndex(bytes, this.olds.subarray(0, rows), columns, undefined, identity)
      : undefined;
    return { now: new ChangeIndex(bytes, this.tuples.subarray(0, rows), columns, before), before };
  }

  /** Whether rows say what they were before. */
  get saysBefore(): boolean {
    return this.hasOld;
  }

  private grow(): void {
    const size = this.ops.length * 4;
    const ops = new Uint8Array(size);
    ops.set(this.ops);
    this.ops = ops;
    for (const name of ['tuples', 'olds'] as const) {
      const grown = new Int32Array(size);
      grown.set(this[name]);
      this[name] = grown;
    }
  }
}
