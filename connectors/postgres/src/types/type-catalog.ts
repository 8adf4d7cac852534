/** The types of a database: what its catalog says of them, loaded when a column first needs it. */
import type { Session } from '../connection/session.js';

/** A row of pg_type, with labels where it is an enum. */
export interface CatalogType {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** b base, c composite, d domain, e enum, m multirange, p pseudo, r range. */
  readonly kind: string;
  /** Type of the elements, for true arrays; else 0. */
  readonly element: number;
  /** For domains: the type below, and its modifier. */
  readonly base: number;
  readonly baseModifier: number;
  /** Name of the send function: types that share one share their bytes. */
  readonly send: string;
  readonly labels: readonly string[];
}

const COLUMNS = `
  SELECT t.oid, n.nspname, t.typname, t.typtype,
         CASE WHEN t.typsend = 'pg_catalog.array_send'::regproc THEN t.typelem ELSE 0 END,
         t.typbasetype, t.typtypmod, t.typsend::regproc::text,
         CASE WHEN t.typtype = 'e' THEN (
           SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid
         ) END
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace`;

export class TypeCatalog {
  private readonly types = new Map<number, CatalogType>();

  constructor(private readonly session: Session) {}

  /** Loads types and what they are made of. */
  async load(oids: Iterable<number>): Promise<void> {
    let wanted = this.unknown(oids);
    while (wanted.length > 0) {
      const rows = await this.session.rows(`${COLUMNS} WHERE t.oid = ANY ('{${wanted.join(',')}}'::oid[])`);
      for (const row of rows) this.add(row);
      const parts = rows.flatMap((row) => [Number(row[4]), Number(row[5])]);
      wanted = this.unknown(parts);
    }
  }

  /** A type that has been loaded. */
  get(oid: number): CatalogType {
    const type = this.types.get(oid);
    if (type === undefined) throw new TypeError(`type ${oid} has not been loaded`);
    return type;
  }

  private unknown(oids: Iterable<number>): number[] {
    return [...new Set(oids)].filter((oid) => oid !== 0 && !this.types.has(oid));
  }

  private add(row: readonly (string | null)[]): void {
    const [oid, schema, name, kind, element, base, baseModifier, send, labels] = row as readonly string[];
    this.types.set(Number(oid), {
      oid: Number(oid),
      schema: schema!,
      name: name!,
      kind: kind!,
      element: Number(element),
      base: Number(base),
      baseModifier: Number(baseModifier),
      send: send!.replace(/^.*\./, ''),
      labels: labels ? (JSON.parse(labels) as string[]) : [],
    });
  }
}
