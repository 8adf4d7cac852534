/**
 * Rows that have to be whole, and of which the log does not have every value: they are completed from the table, as it
 * is now. That may be later than the change: what happened to the row since comes behind it in the log.
 *
 * Of rows whose key has changed, large values that are stored outside of their row come as unchanged. Who has the row
 * under its old key takes them along. But a copy that was made around the change may have met the row under neither
 * key, so that nobody has it.
 *
 * Rows that were written before their table got another shape have none of the columns that came, or got their name or
 * type, since then; what the table has in them no change tells. The same holds for all rows where the past was not copied.
 */
import { Batch, type Context, field, getBit, OPS, type Op, type Row, types, UNCHANGED } from '@sluice/sdk';
import type { Connections } from '../connection/connections.js';
import type { Session } from '../connection/session.js';
import { FrameBatches } from '../copy/frame-batch.js';
import { ident, literal, parseStreamName } from '../quote.js';
import { columnsOf, findRelation, type RelationColumn } from '../source/relation.js';
import { fromClause } from '../source/select.js';
import { valueText } from '../types/value-text.js';

/** Which rows have to be whole, and which where nobody has what they leave out. */
const WHOLE: readonly Op[] = ['insert', 'move'];
const ALONE: readonly Op[] = [...WHOLE, 'update'];
/** Beside the table's columns: which of the wanted rows it is. */
const ORDINAL = '_sluice_row';
/** Rows that are asked for at once. */
const ROWS = 1000;
const BOUNDS = { rows: ROWS, bytes: 1 << 20 };

export class WholeRows {
  constructor(
    private readonly connections: Connections,
    private readonly c: Context,
  ) {}

  /** The batch with these rows whole (`alone`: nobody has what rows leave out), as far as the table still has them; of others that were inserted, the rest is null. */
  async complete(batch: Batch, alone: boolean): Promise<Batch> {
    const wanted = rowsInPart(batch, alone ? ALONE : WHOLE);
    if (wanted.length === 0) return batch;
    const rows = [...batch.rows()];
    await this.connections.using(this.c, async (session) => {
      for (let at = 0; at < wanted.length; at += ROWS) {
        const some = wanted.slice(at, at + ROWS);
        for (const { [ORDINAL]: i, ...now } of await rowsNow(session, batch, some)) {
          const row = rows[i as number]!;
          const filled = Object.entries(row).map(([name, value]) => [
            name,
            value === UNCHANGED && now[name] !== undefined ? now[name] : value,
          ]);
          rows[i as number] = Object.fromEntries(filled) as Row;
        }
      }
    });
    for (const i of wanted) {
      if (batch.opAt(i) !== 'insert') continue;
      const known = Object.entries(rows[i]!).map(([name, value]) => [
        name,
        value === UNCHANGED ? null : value,
      ]);
      rows[i] = Object.fromEntries(known) as Row;
    }
    const { op, byteSize, before, origins } = batch;
    const options = { op, byteSize, ...(before && { before }), ...(origins && { origins }) };
    return Batch.ofRows(batch.schema, rows, options);
  }
}

/** Rows of these ops that have values which were not sent. */
function rowsInPart(batch: Batch, ops: readonly Op[]): number[] {
  const { op, rowCount } = batch;
  const has = typeof op === 'string' ? ops.includes(op) : ops.some((each) => op.includes(OPS.indexOf(each)));
  if (!has) return [];
  const absents = batch.columns().flatMap(({ absent }) => absent ?? []);
  if (absents.length === 0) return [];
  const all = Array.from({ length: rowCount }, (_, i) => i);
  return all.filter((i) => ops.includes(batch.opAt(i)) && absents.some((bits) => getBit(bits, i)));
}

/** Those of a table's rows that are there, by their new keys, with those of its columns that still are what they were. */
async function rowsNow(session: Session, batch: Batch, wanted: readonly number[]): Promise<readonly Row[]> {
  const { schema } = batch;
  const relation = await findRelation(session, parseStreamName(schema.stream));
  if (relation === undefined) return [];
  const live = (await columnsOf(session, [relation.oid])).get(relation.oid)!;
  const fields = schema.fields.filter(({ name, native }) =>
    live.some((column) => column.readable && column.name === name && column.type.name === native),
  );
  const columns = fields.map((f) => live.find(({ name }) => name === f.name)!);
  const key = schema.key.flatMap((name) => columns.find((column) => column.name === name) ?? []);
  if (key.length < schema.key.length) return [];
  const names = key.map((_, i) => `k${i}`);
  const values = wanted.map((i) => `(${[i, ...key.map((column) => constant(batch, column, i))].join(', ')})`);
  const on = key.map(({ name }, i) => `t.${ident(name)} = w.${names[i]}`).join(' AND ');
  const list = columns.map(({ name, type }) => `t.${ident(name)}${type.viaText ? '::text' : ''}`);
  const sql = `COPY (SELECT w.i, ${list.join(', ')} FROM (VALUES ${values.join(', ')}) AS w (i, ${names.join(', ')})
    JOIN ${fromClause(relation)} AS t ON ${on}) TO STDOUT (FORMAT binary)`;
  const batches = new FrameBatches(
    { ...schema, fields: [field(ORDINAL, types.int32), ...fields] },
    [{ kind: 'int4' }, ...columns.map(({ type }) => type.wire)],
    undefined,
  );
  const copy = await session.copyOut(sql, BOUNDS, `completing rows of ${schema.stream}`);
  const found: Row[] = [];
  for (let chunk = await copy.next(); chunk !== undefined; chunk = await copy.next()) {
    found.push(...batches.batch(chunk).rows());
  }
  return found;
}

function constant(batch: Batch, { name, type }: RelationColumn, row: number): string {
  const { type: logical } = batch.schema.fields.find((f) => f.name === name)!;
  return `${literal(valueText(logical, batch.rows()[row]![name]!))}::${type.name}`;
}
