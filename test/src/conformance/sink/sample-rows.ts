/** Rows that rules write where the values do not matter. */
import { type Row, type StreamSchema, streamSchema, types } from '@sluice/sdk';

/** A key, a text and a decimal. */
export function orders(stream = 'orders'): StreamSchema {
  return streamSchema(
    stream,
    [
      { name: 'id', type: types.int64, nullable: false },
      { name: 'name', type: types.string, nullable: true },
      { name: 'amount', type: types.decimal(12, 2), nullable: true },
    ],
    ['id'],
  );
}

export function order(id: number, name = `name ${id}`): Row {
  return { id: BigInt(id), name, amount: `${id}.50` };
}

/** Orders `from` up to `to`, exclusive. */
export function orderRange(from: number, to: number): Row[] {
  return Array.from({ length: to - from }, (_, i) => order(from + i));
}
