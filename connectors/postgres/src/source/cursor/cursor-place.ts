/** How far a stream has been read by its cursor: the positions of its split, and their places in the table as SQL. */
import type { Json } from '@sluice/sdk';
import { pgErrors } from '../../errors.js';
import { ident, literal } from '../../quote.js';

/** Values as text that the server reads back. */
export interface CursorPlace {
  /** Rows whose cursor is less are read. */
  readonly before?: string;
  /** Rows up to this one are read: the value of the cursor, and perhaps those of the table's key behind it. */
  readonly after?: readonly string[];
  /** The highest number that there was at some moment. It can be read up to once nobody writes who began before. */
  readonly pending?: { readonly value: string; readonly at: string };
}

/** What a position says. Throws `SLUICE-PG-0041`. */
export function placeOf(position: Json): CursorPlace {
  if (position === null) return {};
  if (typeof position === 'object' && !Array.isArray(position)) {
    const { before, after, pending } = position as { [key: string]: Json };
    const isText = (value: Json | undefined) => value === undefined || typeof value === 'string';
    const isKey = after === undefined || (Array.isArray(after) && after.length > 0 && after.every(isText));
    if (isText(before) && isKey && (pending === undefined || typeof pending === 'object')) {
      return position as unknown as CursorPlace;
    }
  }
  throw pgErrors.badKeyValue(`the position ${JSON.stringify(position)} is no place of a cursor`);
}

export function positionOf(place: CursorPlace): Json {
  const { before, after, pending } = place;
  if (before === undefined && after === undefined && pending === undefined) return null;
  return {
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after: [...after] }),
    ...(pending !== undefined && { pending: { ...pending } }),
  };
}

/** The columns that places name: the cursor, and the table's unique key behind it. */
export interface OrderColumn {
  readonly name: string;
  readonly type: string;
}

export class CursorOrder {
  private readonly columns: readonly OrderColumn[];

  constructor(cursor: OrderColumn, key: readonly OrderColumn[]) {
    this.columns = [cursor, ...key.filter(({ name }) => name !== cursor.name)];
  }

  /** Names of the columns that make a place. */
  get names(): string[] {
    return this.columns.map(({ name }) => name);
  }

  get orderBy(): string {
    return this.named(this.columns.length);
  }

  /** Rows that lie behind a place; undefined: all. */
  behind({ before, after }: CursorPlace): string | undefined {
    if (after !== undefined) return `(${this.named(after.length)}) > (${this.values(after)})`;
    return before === undefined ? undefined : `${this.named(1)} >= ${this.values([before])}`;
  }

  /** Rows that lie before the end of a window. */
  upTo({ before, after }: CursorPlace): string {
    return after === undefined
      ? `${this.named(1)} < ${this.values([before!])}`
      : `(${this.named(after.length)}) <= (${this.values(after)})`;
  }

  /** The query that puts places in their order; its rows are their numbers. Only the server knows its collations. */
  sorted(places: readonly CursorPlace[], from: string): string {
    const rows = places.map(({ before, after }, i) => {
      const values = this.columns.map(({ type }, k) => {
        const value = after === undefined && k === 0 ? before : after?.[k];
        return `${value === undefined ? 'NULL' : literal(value)}::${type}`;
      });
      // Before all rows of a value, behind some of them, behind all of them.
      const rank = after === undefined ? 0 : after.length < this.columns.length ? 2 : 1;
      return `SELECT ${[i, rank, ...values].join(', ')}`;
    });
    const names = this.columns.map((_, k) => `c${k}`);
    // The union gives the constants the columns' own collations.
    const none = `SELECT 0, 0, ${this.orderBy} FROM ${from} AS t WHERE false`;
    const union = `${none} UNION ALL ${rows.join(' UNION ALL ')}`;
    const order = [names[0], 'place', ...names.slice(1)].join(', ');
    return `SELECT number FROM (${union}) AS s (number, place, ${names.join(', ')}) ORDER BY ${order}`;
  }

  private named(count: number): string {
    const names = this.columns.slice(0, count);
    return names.map(({ name }) => `t.${ident(name)}`).join(', ');
  }

  private values(values: readonly string[]): string {
    return values.map((text, i) => `${literal(text)}::${this.columns[i]!.type}`).join(', ');
  }
}
