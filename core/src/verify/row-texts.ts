/** Rows as texts that are equal where the rows are: made column by column from the forms of their values. */
import { type Batch, valueReader } from '@sluice/sdk';
import type { ComparedTable } from './compared-table.js';
import { textDigest } from './text-digest.js';

export type Side = 'source' | 'target';

/** One row; `forms` are those of the compared columns, in their order. */
export interface RowText {
  /** Place of the row in its batch. */
  readonly row: number;
  readonly key: string;
  readonly forms: readonly string[];
}

export function* rowTexts({ columns, keyed }: ComparedTable, side: Side, batch: Batch): Generator<RowText> {
  const readers = columns.map(({ forms, ...at }) => {
    const read = valueReader(batch.schema.fields[at[side]]!.type, batch.column(at[side]));
    const form = forms[side];
    return (row: number) => form(read(row));
  });
  const keys = columns.flatMap(({ key }, i) => (key || !keyed ? [i] : []));
  for (let row = 0; row < batch.rowCount; row++) {
    const forms: string[] = [];
    for (const read of readers) forms.push(read(row));
    let key = '';
    for (const i of keys) key += part(forms[i]!);
    yield { row, key, forms };
  }
}

/** With its length, so that what stands in two columns is never taken for what stands in one. */
function part(form: string): string {
  return `${form.length}:${form}`;
}

/** The row's text as a whole. */
export function wholeText({ forms }: RowText): string {
  let text = '';
  for (const form of forms) text += part(form);
  return text;
}

/** The key's bucket: one of 2^16. */
export function bucketOf({ key }: RowText): number {
  return textDigest(key)[0]! & 0xffff;
}
