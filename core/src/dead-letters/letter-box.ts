/** What becomes of rows that are rejected: each is a dead letter, durable before its epoch commits. */
import type { DeadLetter, Lease, Ledger } from '../ledger/ledger.js';
import type { RejectLimit } from './reject-limit.js';

/** Where dead letters are kept. */
export interface LetterStore {
  /** Resolves when the letters are durable. The same letter may come again. */
  add(letters: readonly DeadLetter[]): Promise<void>;
}

/** How a run tolerates rows that are rejected. */
export interface Tolerance {
  readonly store: LetterStore;
  readonly limit: RejectLimit;
}

/** Dead letters in the ledger. */
export function ledgerStore(ledger: Ledger, lease: () => Lease): LetterStore {
  return { add: (letters) => ledger.addLetters(lease(), letters) };
}

export interface LetterPlace {
  readonly flow: string;
  readonly sink: string;
  readonly stream: string;
  readonly generation: number;
  readonly split: string;
  readonly epoch: number;
  readonly stage: DeadLetter['stage'];
  readonly row: number;
}

/**
 * A letter's id. Rows are counted from the last committed position, which every attempt at the epoch begins from, so
 * that it depends neither on batches nor on rungs, nor on where the epoch ends.
 */
export function letterId({ flow, sink, stream, generation, split, epoch, stage, row }: LetterPlace): string {
  return [flow, sink, generation, split, epoch, stage, stream, row].join('/');
}
