/** Guesses the columns of a JSON file from its first records. */
import { jsonErrors } from './errors.js';
import { JsonGuess } from './guess.js';
import { type JsonReadOptions, rawTables } from './read.js';
import { parseJson } from './tree.js';

export interface JsonSample {
  /** Of the records: its members are the columns. */
  readonly guess: JsonGuess;
  readonly rows: number;
  readonly bytes: number;
  /** Whether the file ended within the sample. */
  readonly whole: boolean;
  /** The error of the first record that was passed over, where the file is read tolerantly. */
  readonly broken?: Error;
}

/**
 * Looks at up to `rows` records and about `bytes` bytes. Broken records are passed over where the file is read
 * tolerantly; one that has no others throws the first one's error.
 */
export async function sampleJson(
  source: AsyncIterable<Uint8Array>,
  options: JsonReadOptions,
  rows: number,
  bytes: number,
): Promise<JsonSample> {
  const guess = new JsonGuess();
  let seenRows = 0;
  let seenBytes = 0;
  let problem: Error | undefined;
  const reader = await rawTables(source, options);
  for await (const table of reader.tables()) {
    for (let row = 0; row < table.rows; row++) {
      const line = table.lineOf(row);
      const tree = parseJson(table.textOf(row, 0));
      if (!(tree instanceof Map)) {
        const message = `${options.file}, line ${line}: the record is no object`;
        const error = jsonErrors.notAnObject(message, { details: { file: options.file, line } });
        if (options.tolerant !== true) throw error;
        problem ??= error;
        continue;
      }
      guess.add(tree, () => `line ${line}`);
      seenRows++;
      seenBytes = table.firstOffset + table.rowEnds[row]!;
      if (seenRows === rows || seenBytes >= bytes) return sample(false);
    }
    // A record that is broken stands behind the rows of its table.
    problem ??= reader.problem;
  }
  problem ??= reader.problem;
  if (seenRows === 0 && problem !== undefined) throw problem;
  return sample(true);

  function sample(whole: boolean): JsonSample {
    return { guess, rows: seenRows, bytes: seenBytes, whole, ...(problem && { broken: problem }) };
  }
}
