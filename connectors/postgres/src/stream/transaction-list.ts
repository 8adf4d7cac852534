/** The transactions that rows of the log were changed by, row after row. */
import type { Json, Origin, Origins } from '@sluice/sdk';
import { CopyInstant, epochMicros } from './copy-instant.js';
import { type Lsn, sortedLsn } from './lsn.js';

export interface LoggedTransaction {
  /** Where its commit is. */
  readonly commit: Lsn;
  /** When that was, in microseconds since 2000. */
  readonly committedAt: number;
  /** The low 32 bits of its number. */
  readonly id: number;
}

const FIRST_ROWS = 256;

export class TransactionList implements Origins {
  private readonly transactions: LoggedTransaction[] = [];
  private length = 0;
  /** By row, which of them. */
  private which = new Int32Array(FIRST_ROWS);
  private ordinals = new Uint32Array(FIRST_ROWS);

  /** Of the next row: its transaction, and its place in that. */
  add(transaction: LoggedTransaction, ordinal: number): void {
    const { transactions, length } = this;
    if (length === this.which.length) this.grow();
    if (transactions.at(-1) !== transaction) transactions.push(transaction);
    this.which[length] = transactions.length - 1;
    this.ordinals[length] = ordinal;
    this.length = length + 1;
  }

  at(row: number): Origin {
    const { commit, committedAt } = this.of(row);
    return {
      committedAt: epochMicros(committedAt),
      transaction: sortedLsn(commit),
      ordinal: this.ordinals[row]!,
    };
  }

  shownBy(copies: readonly Json[]): ((row: number) => boolean) | undefined {
    const instants = copies.flatMap((position) => CopyInstant.of(position) ?? []);
    if (instants.length === 0) return () => true;
    const asked = instants.filter((instant) => this.transactions.some((each) => instant.mayShow(each)));
    if (asked.length === 0) return undefined;
    const shown = this.transactions.map((each) => asked.some((instant) => instant.shows(each)));
    return (row) => shown[this.which[row]!]!;
  }

  private of(row: number): LoggedTransaction {
    return this.transactions[this.which[row]!]!;
  }

  private grow(): void {
    const size = this.which.length * 4;
    const which = new Int32Array(size);
    which.set(this.which);
    this.which = which;
    const ordinals = new Uint32Array(size);
    ordinals.set(this.ordinals);
    this.ordinals = ordinals;
  }
}
