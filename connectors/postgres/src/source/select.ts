/** Parts of the queries that read a relation. */
import { ident, qualified } from '../quote.js';
import type { Relation, RelationColumn } from './relation.js';

/** Columns by name, those without a binary form of their own as text. */
export function selectList(columns: readonly RelationColumn[]): string {
  return columns.map(({ name, type }) => (type.viaText ? `${ident(name)}::text` : ident(name))).join(', ');
}

/** Rows of a table's children are read with the children, those of partitions with their root. */
export function fromClause(relation: Relation): string {
  return relation.kind === 'r' || relation.kind === 'm' ? `ONLY ${qualified(relation)}` : qualified(relation);
}
