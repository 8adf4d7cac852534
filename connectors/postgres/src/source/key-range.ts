/** A range of a table's key as SQL. The database compares keys: only it knows its collations. */
import type { Json } from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { ident, literal } from '../quote.js';
import type { Relation, RelationColumn } from './relation.js';
import { fromClause, selectList } from './select.js';
import type { KeySpec } from './split-spec.js';

/** A key, each column as text. */
export type Key = readonly string[];

export class KeyRange {
  /** The key's columns, of the table: names in the select list would hide them. */
  private readonly names: string;
  private readonly types: readonly string[];

  constructor(
    private readonly relation: Relation,
    private readonly columns: readonly RelationColumn[],
    private readonly spec: KeySpec,
  ) {
    this.names = spec.key.map((name) => `t.${ident(name)}`).join(', ');
    this.types = spec.key.map((name) => {
      const column = columns.find((each) => each.name === name);
      if (column === undefined)
        throw pgErrors.badKeyValue(`the key column ${name} is not among the columns that are read`);
      return column.type.name;
    });
  }

  /** The key of a position; undefined at the start of the range. Throws `SLUICE-PG-0041`. */
  key(position: Json): Key | undefined {
    if (position === null) return undefined;
    const { length } = this.spec.key;
    if (
      !Array.isArray(position) ||
      position.length !== length ||
      !position.every((text) => typeof text === 'string')
    ) {
      throw pgErrors.badKeyValue(`the position ${JSON.stringify(position)} is no key of ${length} columns`);
    }
    return position;
  }

  /** Rows behind `after` up to and including `upTo`, in order. */
  copy(after: Key | undefined, upTo: Key | undefined): string {
    const { from, to } = this.spec;
    const first = `t.${ident(this.spec.key[0]!)}`;
    const conditions: string[] = [];
    if (from !== undefined) conditions.push(`${first} >= ${this.constant(from, 0)}`);
    if (to !== undefined) conditions.push(`${first} < ${this.constant(to, 0)}`);
    if (after !== undefined) conditions.push(`(${this.names}) > (${this.constants(after)})`);
    if (upTo !== undefined) conditions.push(`(${this.names}) <= (${this.constants(upTo)})`);
    const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
    const select = `SELECT ${selectList(this.columns)} FROM ${fromClause(this.relation)} AS t${where}`;
    return `COPY (${select} ORDER BY ${this.names}) TO STDOUT (FORMAT binary)`;
  }

  /** Those keys that lie behind `after`, in order. */
  async behind(session: Session, after: Key | undefined, keys: readonly Key[]): Promise<Key[]> {
    if (keys.length === 0) return [];
    // The union gives the constants the columns' own collations.
    const values = keys.map((key) => `SELECT ${literal(JSON.stringify(key))}, ${this.constants(key)}`);
    const where = after === undefined ? '' : `WHERE (${this.names}) > (${this.constants(after)})`;
    const rows = await session.rows(
      `SELECT _sluice_key FROM (
         SELECT NULL::text AS _sluice_key, ${this.names} FROM ${fromClause(this.relation)} AS t WHERE false
         UNION ${values.join(' UNION ')}
       ) AS t ${where} ORDER BY ${this.names}`,
    );
    return rows.map(([text]) => JSON.parse(text!) as string[]);
  }

  private constants(key: Key): string {
    return key.map((text, i) => this.constant(text, i)).join(', ');
  }

  private constant(text: string, i: number): string {
    return `${literal(text)}::${this.types[i]}`;
  }
}
