/**
 * How a type's values look in binary COPY. Types with the same wire hold the same bytes for the same value, on
 * every server and database: sizes and formats are those of the types' send and receive functions
 * (src/backend/utils/adt of PostgreSQL), which are stable across versions.
 */

export type Wire =
  | { readonly kind: 'bool' | 'int2' | 'int4' | 'int8' | 'oid' | 'float4' | 'float8' }
  /** Without `precision` any numeric; NaN and infinities too. */
  | { readonly kind: 'numeric'; readonly precision?: number; readonly scale?: number }
  /** UTF-8: text, varchar, name, citext, and enums, whose binary form is their label. */
  | { readonly kind: 'text' }
  /** Padded to `length` with spaces by the server; without one, any length. */
  | { readonly kind: 'bpchar'; readonly length?: number }
  | { readonly kind: 'bytea' | 'uuid' | 'date' | 'json' | 'jsonb' }
  /** `digits` behind the second that the column keeps, 6 when undefined. */
  | { readonly kind: 'time' | 'timestamp' | 'timestamptz'; readonly digits?: number }
  /** `modifier`: fields or digits that the column is restricted to; `infinite`: ±infinity exist (version 17). */
  | { readonly kind: 'interval'; readonly modifier?: number; readonly infinite: boolean }
  | { readonly kind: 'array'; readonly element: Wire; readonly elementOid: number };

/** Bytes of a value, where they are always the same. */
export function fixedSize(wire: Wire): number | undefined {
  switch (wire.kind) {
    case 'bool':
      return 1;
    case 'int2':
      return 2;
    case 'int4':
    case 'oid':
    case 'float4':
    case 'date':
      return 4;
    case 'int8':
    case 'float8':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return 8;
    case 'uuid':
    case 'interval':
      return 16;
    default:
      return undefined;
  }
}

/**
 * The name of a wire in the format of encoded batches; undefined where bytes mean something else elsewhere
 * (arrays carry the number that their element's type has in this database).
 */
export function wireName(wire: Wire): string | undefined {
  switch (wire.kind) {
    case 'array':
      return undefined;
    case 'numeric':
      return wire.precision === undefined ? 'numeric' : `numeric(${wire.precision},${wire.scale})`;
    case 'bpchar':
      return wire.length === undefined ? 'bpchar' : `bpchar(${wire.length})`;
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return wire.digits === undefined ? wire.kind : `${wire.kind}(${wire.digits})`;
    case 'interval':
      if (wire.modifier !== undefined) return undefined;
      return wire.infinite ? 'interval(infinite)' : 'interval';
    default:
      return wire.kind;
  }
}

/** Whether a column of wire `target` takes the bytes of a column named `source` and keeps every value. */
export function takesWire(source: string, target: Wire): boolean {
  const same = wireName(target);
  if (same === undefined) return false;
  if (same === source) return true;
  switch (target.kind) {
    case 'numeric': {
      const match = /^numeric\((\d+),(-?\d+)\)$/.exec(source);
      if (match === null) return false;
      return (
        target.precision === undefined ||
        (target.scale === Number(match[2]) && target.precision >= Number(match[1]))
      );
    }
    case 'bpchar':
      return false;
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return target.digits === undefined && source.startsWith(`${target.kind}(`);
    case 'interval':
      return source === 'interval';
    default:
      return false;
  }
}
