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
}

/** Looks at up to `rows` records and about `bytes` bytes. A broken record among them throws as reading would. */
export async function sampleJson(
  source: AsyncIterable<Uint8Array>,
  options: JsonReadOptions,
  rows: number,
  bytes: number,
): Promise<JsonSample> {
  const guess = new JsonGuess();
  let seenRows = 0;
  let seenBytes = 0;
  const reader = await rawTables(source, options);
  for await (const table of reader.tables()) {
    for (let row = 0; row < table.rows; row++) {
      const line = table.lineOf(row);
      const tree = parseJson(table.textOf(row, 0));
      if (!(tree instanceof Map)) {
        const message = `${options.file}, line ${line}: the record is no object`;
        throw jsonErrors.notAnObject(message, { details: { file: options.file, line } });
      }
      guess.add(tree, () => `line ${line}`);
      seenRows++;
      seenBytes = table.firstOffset + table.rowEnds[row]!;
      if (seenRows === rows || seenBytes >= bytes)
        return { guess, rows: seenRows, bytes: seenBytes, whole: false };
    }
  }
  return { guess, rows: seenRows, bytes: seenBytes, whole: true };
}
