/** Guesses the types of a CSV file's columns from its first rows. */
import { NULL, QUOTED } from '../text/cells.js';
import { Guess } from '../text/guess.js';
import type { CsvFile } from './read.js';

export interface CsvSample {
  /** One guess for each of the file's columns. */
  readonly guesses: readonly Guess[];
  readonly rows: number;
  readonly bytes: number;
  /** Whether the file ended within the sample. */
  readonly whole: boolean;
  /** The error of the first record that was passed over, where the file is read tolerantly. */
  readonly broken?: Error;
}

/**
 * Looks at up to `rows` rows and about `bytes` bytes. The file is closed afterwards. Broken records are passed over
 * where the file is read tolerantly; one that has no others throws the first one's error.
 */
export async function sampleCsv(file: CsvFile, rows: number, bytes: number): Promise<CsvSample> {
  const guesses = file.columns.map(() => new Guess());
  let seenRows = 0;
  let seenBytes = 0;
  let broken: Error | undefined;
  for await (const table of file.tables()) {
    const taken = Math.min(table.rows, rows - seenRows);
    for (const [column, guess] of guesses.entries()) {
      for (let row = 0; row < taken; row++) {
        const kind = table.kindOf(row, column);
        if (kind === NULL) {
          guess.addNull();
          continue;
        }
        const text = table.textOf(row, column);
        const where = () => `line ${table.lineOf(row)}`;
        if (text === '' && kind === QUOTED) guess.addLook('string', text, where);
        else guess.add(text, where);
      }
    }
    if (taken === 0) continue;
    seenRows += taken;
    seenBytes += table.rowEnds[taken - 1]! - table.begin;
    if (seenRows === rows || seenBytes >= bytes) return sample(false);
    // A record that is broken stands behind the rows of its table.
    broken = file.problem;
  }
  if (seenRows === 0 && file.problem !== undefined) throw file.problem;
  broken = file.problem;
  return sample(true);

  function sample(whole: boolean): CsvSample {
    return { guesses, rows: seenRows, bytes: seenBytes, whole, ...(broken && { broken }) };
  }
}
