/** A table as the log describes it before its first change, and again after each change of its shape. */

export interface LoggedColumn {
  readonly name: string;
  /** Number of its type, and the type's modifier. */
  readonly type: number;
  readonly modifier: number;
  /** Whether old rows are told apart by it. */
  readonly identity: boolean;
}

export interface LoggedRelation {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly LoggedColumn[];
}

/** Reads a Relation message; `at` is where its type stands. */
export function loggedRelation(bytes: Buffer, at: number): LoggedRelation {
  let next = at + 5;
  const text = () => {
    const start = next;
    const end = bytes.indexOf(0, start);
    next = end + 1;
    return bytes.toString('utf8', start, end);
  };
  const schema = text();
  const table = text();
  // The kind of identity, then the number of columns.
  const count = bytes.readInt16BE(next + 1);
  next += 3;
  const columns: LoggedColumn[] = [];
  for (let i = 0; i < count; i++) {
    const identity = (bytes[next++]! & 1) === 1;
    const name = text();
    columns.push({ name, identity, type: bytes.readUInt32BE(next), modifier: bytes.readInt32BE(next + 4) });
    next += 8;
  }
  // The server's own schema has an empty name.
  return { oid: bytes.readUInt32BE(at + 1), schema: schema || 'pg_catalog', table, columns };
}
