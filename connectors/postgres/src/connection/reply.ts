/** What the server answers to statements: rows as text. */

/** A column of a result. */
export interface ResultColumn {
  readonly name: string;
  /** Number and modifier of its type. */
  readonly oid: number;
  readonly modifier: number;
}

export interface Result {
  readonly columns: readonly ResultColumn[];
  /** Each value as text or null. */
  readonly rows: (string | null)[][];
  /** What the statement did: `INSERT 0 5`, `COMMIT`. */
  readonly tag: string;
  /** Rows that it read or changed, by the tag. */
  readonly count: number;
}

const ROW_DESCRIPTION = 0x54;
const DATA_ROW = 0x44;
const COMMAND_COMPLETE = 0x43;

/** Collects the messages of one exchange. */
export class Reply {
  /** One for each statement. */
  readonly results: Result[] = [];
  private columns: ResultColumn[] = [];
  private rows: (string | null)[][] = [];

  message(type: number, body: Buffer): void {
    if (type === ROW_DESCRIPTION) this.columns = rowDescription(body);
    if (type === DATA_ROW) this.rows.push(dataRow(body));
    if (type === COMMAND_COMPLETE) {
      const tag = body.toString('latin1', 0, body.length - 1);
      const count = Number(/(\d+)$/.exec(tag)?.[1] ?? 0);
      this.results.push({ columns: this.columns, rows: this.rows, tag, count });
      this.columns = [];
      this.rows = [];
    }
  }

  /** The last statement's result. */
  result(): Result {
    return this.results.at(-1) ?? { columns: [], rows: [], tag: '', count: 0 };
  }
}

/** Per column: name, zero, int32 table, int16 number in it, int32 type, int16 size, int32 modifier, int16 format. */
function rowDescription(body: Buffer): ResultColumn[] {
  const columns: ResultColumn[] = [];
  let at = 2;
  for (let i = body.readInt16BE(0); i > 0; i--) {
    const end = body.indexOf(0, at);
    const name = body.toString('utf8', at, end);
    columns.push({ name, oid: body.readUInt32BE(end + 7), modifier: body.readInt32BE(end + 13) });
    at = end + 19;
  }
  return columns;
}

function dataRow(body: Buffer): (string | null)[] {
  const values: (string | null)[] = new Array(body.readInt16BE(0));
  let at = 2;
  for (let i = 0; i < values.length; i++) {
    const length = body.readInt32BE(at);
    at += 4;
    values[i] = length < 0 ? null : body.toString('utf8', at, at + length);
    if (length > 0) at += length;
  }
  return values;
}
