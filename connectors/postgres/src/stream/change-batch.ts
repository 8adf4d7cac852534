/** Changes of one table as a batch, whose columns are decoded when they are touched. */
import {
  Batch,
  type BatchOptions,
  type Bitmap,
  bitmapBytes,
  type Column,
  type ColumnDecoder,
  clearBit,
  filledBitmap,
  getBit,
  isValid,
  setBit,
} from '@sluice/sdk';
import type { Cells } from '../copy/cells.js';
import type { ChangeIndex } from './change-index.js';
import type { ChangeRows } from './change-rows.js';
import type { ServerCasts } from './server-cast.js';
import type { StreamShape } from './stream-shape.js';

/** Values of fields that the server has made, by the field's index. */
type CastCells = ReadonlyMap<number, Cells>;

export async function changeBatch(shape: StreamShape, rows: ChangeRows, casts: ServerCasts): Promise<Batch> {
  const needsCast = shape.fields.some(({ sql }) => sql !== undefined);
  if (!needsCast) return batchOf(shape, rows, () => rows.index());
  const { now, before } = rows.index();
  const nowCast = await castFields(shape, now, casts);
  const beforeCast = before && (await castFields(shape, before, casts));
  return batchOf(shape, rows, () => ({ now, before }), nowCast, beforeCast);
}

function batchOf(
  shape: StreamShape,
  rows: ChangeRows,
  find: () => ReturnType<ChangeRows['index']>,
  nowCast?: CastCells,
  beforeCast?: CastCells,
): Batch {
  const { schema } = shape.stream;
  const { op, byteSize, rows: count, origins } = rows;
  let found: ReturnType<ChangeRows['index']> | undefined;
  const index = () => {
    found ??= find();
    return found;
  };
  const options: BatchOptions = { op, byteSize, origins };
  if (!rows.saysBefore) {
    return Batch.ofDecoder(schema, count, new Fields(shape, () => index().now, nowCast), options);
  }
  const old = new Fields(shape, () => index().before!, beforeCast);
  const before = Batch.ofDecoder(schema, count, old, { byteSize: 0 });
  const now = new Fields(shape, () => index().now, nowCast);
  return Batch.ofDecoder(schema, count, now, { ...options, before });
}

class Fields implements ColumnDecoder {
  constructor(
    private readonly shape: StreamShape,
    private readonly index: () => ChangeIndex,
    private readonly cast: CastCells | undefined,
  ) {}

  column(i: number): Column {
    const { from, decode } = this.shape.fields[i]!;
    const index = this.index();
    if (from.length === 0) return this.unknown(decode, index.rows);
    const made = decode(this.cast?.get(i) ?? index.cells(from[0]!));
    const absent = from.map((column) => index.absent(column)).reduce(either);
    return absent === undefined ? made : leaveOut(made, absent);
  }

  /** The table had no such column then: nothing is said of it. */
  private unknown(decode: (cells: Cells) => Column, rows: number): Column {
    const bytes = Buffer.alloc(0);
    const starts = new Int32Array(rows).fill(-1);
    const made = decode({ bytes, view: new DataView(bytes.buffer, 0, 0), starts, nulls: rows });
    const absent: Bitmap = new Uint8Array(bitmapBytes(rows));
    for (let i = 0; i < rows; i++) setBit(absent, i);
    return { ...made, absent };
  }
}

/** A value is not known where one that it comes from was not sent. */
function leaveOut(column: Column, absent: Bitmap): Column {
  const validity = filledBitmap(column.length);
  for (let i = 0; i < column.length; i++) {
    if (getBit(absent, i) || !isValid(column, i)) clearBit(validity, i);
  }
  return { ...column, validity, absent };
}

function either(a: Bitmap | undefined, b: Bitmap | undefined): Bitmap | undefined {
  return a === undefined || b === undefined ? (a ?? b) : a.map((bits, i) => bits | b[i]!);
}

async function castFields(shape: StreamShape, index: ChangeIndex, casts: ServerCasts): Promise<CastCells> {
  const wanted = shape.fields.flatMap(({ from, sql }, i) => (sql === undefined ? [] : [{ i, from, sql }]));
  const { schema, table, columns } = shape.relation;
  const logged = [...new Set(wanted.flatMap(({ from }) => from))].map((column) => ({
    ...index.cells(column),
    name: columns[column]!.name,
    type: shape.types[column]!,
    isText: index.isText(column),
  }));
  const made = await casts.run(
    wanted.map(({ sql }) => sql),
    logged,
    `reading logged values of ${schema}.${table}`,
  );
  return new Map(wanted.map(({ i }, at) => [i, made[at]!]));
}
