/** Messages that a client sends. https://www.postgresql.org/docs/current/protocol-message-formats.html */

export const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4]);

/** Query: statements as text. */
export function queryMessage(sql: string): Buffer {
  return message('Q', Buffer.from(`${sql}\0`));
}

/** Parse, Bind, Describe, Execute and Sync of one statement, with values and result as text. */
export function parameterMessages(sql: string, values: readonly (string | null)[]): Buffer {
  const parts: Buffer[] = [Buffer.from('\0\0'), int16(0), int16(values.length)];
  for (const value of values) {
    if (value === null) {
      parts.push(int32(-1));
    } else {
      const text = Buffer.from(value);
      parts.push(int32(text.length), text);
    }
  }
  parts.push(int16(0));
  return Buffer.concat([
    message('P', Buffer.from(`\0${sql}\0\0\0`)),
    message('B', Buffer.concat(parts)),
    message('D', Buffer.from('P\0')),
    message('E', Buffer.concat([Buffer.from('\0'), int32(0)])),
    message('S', Buffer.alloc(0)),
  ]);
}

/** The request, sent as all there is on a connection of its own, to cancel what a session does. */
export function cancelMessage(processId: number, secretKey: number): Buffer {
  return Buffer.concat([int32(16), int32(80_877_102), int32(processId), int32(secretKey)]);
}

function message(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type, 'latin1'), int32(4 + body.length), body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value | 0, 0);
  return bytes;
}

function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeUInt16BE(value, 0);
  return bytes;
}
