// Dumps: the rows of a query as text that any reader can produce, so that two of them can be compared.
//
// The format is CSV with a heading, whose names are quoted where they need it. Every value is quoted and a null is empty without quotes, so that null and
// '' differ. How a value looks is up to the reader: cast in the query to what both sides write alike.

/** A query's rows as CSV: the heading first, then one entry for each row, in the query's order. */
export interface Dump {
  /** The names of the columns. */
  heading: string;
  /** One row each; an entry holds line breaks where a value does. */
  rows: string[];
}

/** Splits CSV text into its rows, which it leaves as they are. */
export function parseDump(csv: string): Dump {
  const rows: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < csv.length; at++) {
    const char = csv[at];
    if (char === '"') quoted = !quoted;
    else if (char === '\n' && !quoted) {
      rows.push(csv.slice(start, at).replace(/\r$/, ''));
      start = at + 1;
    }
  }
  if (start < csv.length) rows.push(csv.slice(start));
  const [heading = '', ...rest] = rows;
  return { heading, rows: rest };
}
