/**
 * Values that only the server can make: those that a full copy reads through `::text`, those of a type that the column
 * had before, and those of generated columns. What the log has goes there as it is, row by row through one statement
 * that is parsed once, and the values come back in binary.
 */
import type { Context } from '@sluice/sdk';
import type { Connections } from '../connection/connections.js';
import { Reply } from '../connection/reply.js';
import { type Cells, cellLength } from '../copy/cells.js';
import { ident } from '../quote.js';

/** A column in the form in which the log has it. */
export interface LoggedCells extends Cells {
  readonly name: string;
  /** Its type's SQL name. */
  readonly type: string;
  readonly isText: boolean;
}

/** Bytes that are sent at once. */
const SENT_BYTES = 1 << 20;
const DATA_ROW = 0x44;

export class ServerCasts {
  constructor(
    private readonly connections: Connections,
    private readonly c: Context,
  ) {}

  /** What SQL expressions over the columns give in each row. */
  run(results: readonly string[], columns: readonly LoggedCells[], doing: string): Promise<readonly Cells[]> {
    const rows = columns[0]!.starts.length;
    const row = columns.map(({ name, type }, i) => `$${i + 1}::${type} AS ${ident(name)}`);
    const sql = `SELECT ${results.join(', ')} FROM (SELECT ${row.join(', ')}) AS logged`;
    const reply = new CastReply(results.length, rows);
    return this.connections.using(this.c, async (session) => {
      let messages = new Messages().parse(sql);
      for (let row = 0; row < rows; row++) {
        messages.execute(columns, row);
        if (messages.bytes < SENT_BYTES && row < rows - 1) continue;
        await session.run(messages.synced(), reply, doing);
        messages = new Messages();
      }
      return reply.cells();
    });
  }
}

/** Frontend messages of the extended protocol. */
class Messages {
  private readonly parts: Buffer[] = [];
  bytes = 0;

  parse(sql: string): this {
    return this.add('P', Buffer.from(`\0${sql}\0\0\0`));
  }

  /** Bind and Execute of the statement with the values of a row. */
  execute(columns: readonly LoggedCells[], row: number): void {
    let size = 0;
    for (const { view, starts } of columns)
      size += 6 + (starts[row]! < 0 ? 0 : cellLength(view, starts[row]!));
    const head = Buffer.from('\0\0');
    const body = Buffer.allocUnsafe(head.length + 2 + 2 + size + 4);
    let at = head.copy(body);
    at = body.writeInt16BE(columns.length, at);
    for (const { isText } of columns) at = body.writeInt16BE(isText ? 0 : 1, at);
    at = body.writeInt16BE(columns.length, at);
    for (const { bytes, view, starts } of columns) {
      const start = starts[row]!;
      if (start < 0) {
        at = body.writeInt32BE(-1, at);
      } else {
        bytes.copy(body, at, start - 4, start + cellLength(view, start));
        at += 4 + cellLength(view, start);
      }
    }
    // One format for all results: binary.
    at = body.writeInt16BE(1, at);
    body.writeInt16BE(1, at);
    this.add('B', body).add('E', Buffer.alloc(5));
  }

  synced(): Buffer {
    this.add('S', Buffer.alloc(0));
    return Buffer.concat(this.parts);
  }

  private add(type: string, body: Buffer): this {
    const head = Buffer.allocUnsafe(5);
    head.write(type, 'latin1');
    head.writeInt32BE(4 + body.length, 1);
    this.parts.push(head, body);
    this.bytes += 5 + body.length;
    return this;
  }
}

/** Keeps the rows that come as they are. */
class CastReply extends Reply {
  private readonly bodies: Buffer[] = [];

  constructor(
    private readonly width: number,
    private readonly height: number,
  ) {
    super();
  }

  override message(type: number, body: Buffer): void {
    if (type === DATA_ROW) this.bodies.push(Buffer.from(body));
  }

  cells(): Cells[] {
    const { width, height } = this;
    const bytes = Buffer.concat(this.bodies);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const made = Array.from({ length: width }, () => ({ starts: new Int32Array(height), nulls: 0 }));
    let at = 0;
    for (let row = 0; row < height; row++) {
      at += 2;
      for (const column of made) {
        const length = view.getInt32(at);
        at += 4;
        column.starts[row] = length < 0 ? -1 : at;
        if (length < 0) column.nulls++;
        else at += length;
      }
    }
    return made.map(({ starts, nulls }) => ({ bytes, view, starts, nulls }));
  }
}
