/** What the server answers to statements: rows as text. */

export interface Result {
  /** The rows of the last statement, each value as text or null. */
  readonly rows: (string | null)[][];
  /** Rows that the last statement read or changed, by its command tag. */
  readonly count: number;
}

const ROW_DESCRIPTION = 0x54;
const DATA_ROW = 0x44;
const COMMAND_COMPLETE = 0x43;

/** Collects the messages of one exchange. */
export class Reply {
  private rows: (string | null)[][] = [];
  private complete = false;
  private tag = '';

  message(type: number, body: Buffer): void {
    if (type === ROW_DESCRIPTION || (type === DATA_ROW && this.complete)) {
      this.rows = [];
      this.complete = false;
    }
    if (type === DATA_ROW) this.rows.push(dataRow(body));
    if (type === COMMAND_COMPLETE) {
      if (this.complete) this.rows = [];
      this.tag = body.toString('latin1', 0, body.length - 1);
      this.complete = true;
    }
  }

  result(): Result {
    return { rows: this.rows, count: Number(/(\d+)$/.exec(this.tag)?.[1] ?? 0) };
  }
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
