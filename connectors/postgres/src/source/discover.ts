/** Streams of a database: its tables and views. */
import {
  type Catalog,
  type CatalogStream,
  type Field,
  field,
  formatType,
  isExact,
  matchesPattern,
  type SluiceError,
  type StreamSchema,
  streamSchema,
} from '@sluice/sdk';
import type { Session } from '../connection/session.js';
import { pgErrors } from '../errors.js';
import { qualified, streamName } from '../quote.js';
import { framesFormat } from '../types/frames-format.js';
import { tableMark } from './fills.js';
import { filteredRelations } from './policies.js';
import { notPopulated } from './read-transaction.js';
import { columnsOf, keysOf, listRelations, type Relation, type RelationColumn } from './relation.js';

/** The streams that match one of the patterns; all but partitions, which their roots contain, without patterns. */
export async function discover(session: Session, patterns: readonly string[] | undefined): Promise<Catalog> {
  const chosen = (await listRelations(session)).filter((relation) => isChosen(relation, patterns));
  const oids = chosen.map((relation) => relation.oid);
  if (oids.length === 0) return { streams: [] };
  const columns = await columnsOf(session, oids);
  const keys = await keysOf(session, oids);
  const filtered = await filteredRelations(session, chosen);
  const streams = chosen.map((relation) =>
    describe(relation, columns.get(relation.oid)!, keys.get(relation.oid) ?? [], filtered.has(relation.oid)),
  );
  return { streams };
}

function isChosen(relation: Relation, patterns: readonly string[] | undefined): boolean {
  const name = streamName(relation);
  const chosen = patterns === undefined ? [] : patterns.filter((pattern) => matchesPattern(pattern, name));
  if (relation.isPartition) return chosen.some(isExact);
  return patterns === undefined || chosen.length > 0;
}

function describe(
  relation: Relation,
  all: readonly RelationColumn[],
  key: readonly string[],
  filtered: boolean,
): CatalogStream {
  const columns = relation.readable === 'columns' ? all.filter((column) => column.readable) : all;
  const wires = columns.map((column) => column.type.wire);
  const format = columns.some((column) => column.type.viaText) ? undefined : framesFormat(wires);
  const notes = notesOf(relation, all, filtered);
  const problem = problemOf(relation);
  const mark = tableMark(relation);
  const filled = columns.filter((column) => column.filled).map((column) => column.name);
  const unchanged = columns.filter((column) => column.outOfLine).map((column) => column.name);
  return {
    schema: schemaOf(relation, columns, key),
    types: columns.map(({ name, type }) => ({
      column: name,
      from: type.name,
      to: formatType(type.logical),
      verdict: type.verdict,
      ...(type.note !== undefined && { note: type.note }),
    })),
    ...(format !== undefined && { encodings: [format] }),
    ...(relation.rows !== undefined && { estimatedRows: relation.rows }),
    ...(relation.kind !== 'v' && relation.kind !== 'f' && { estimatedBytes: relation.bytes }),
    ...(unchanged.length > 0 && { unchanged }),
    ...(filled.length > 0 && { filled }),
    ...(mark !== undefined && { mark }),
    before: relation.logsBefore,
    ...(problem !== undefined && { problem }),
    ...(notes.length > 0 && { notes }),
  };
}

function schemaOf(
  relation: Relation,
  columns: readonly RelationColumn[],
  key: readonly string[],
): StreamSchema {
  const names = new Set(columns.map((column) => column.name));
  return streamSchema(
    streamName(relation),
    fieldsOf(columns),
    key.every((name) => names.has(name)) ? key : [],
  );
}

export function fieldsOf(columns: readonly RelationColumn[]): Field[] {
  return columns.map(({ name, type, nullable }) =>
    field(name, type.logical, { nullable, native: type.name }),
  );
}

/** Why it cannot be read. */
function problemOf(relation: Relation): SluiceError | undefined {
  if (!relation.isPopulated) return notPopulated(relation);
  if (relation.readable !== 'nothing') return undefined;
  return pgErrors.noSelect(`${qualified(relation)} cannot be read: SELECT is missing`, {
    details: { stream: streamName(relation) },
  });
}

function notesOf(relation: Relation, columns: readonly RelationColumn[], filtered: boolean): string[] {
  const notes: string[] = [];
  const hidden = columns.filter((column) => !column.readable).map((column) => column.name);
  if (relation.readable === 'columns') notes.push(`left out, since SELECT is missing: ${hidden.join(', ')}`);
  if (filtered) notes.push('row security is active: rows that the policies hide are not read');
  if (relation.isParent)
    notes.push('rows of the tables that inherit from it are not read with it: they are streams of their own');
  if (relation.kind === 'f')
    notes.push('a foreign table: its rows are read where they are, as they are then');
  return notes;
}
