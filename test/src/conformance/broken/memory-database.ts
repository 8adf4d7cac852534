/** What the reference sinks write to: tables, staging and records that outlive the sinks, as a server's would. */

import type { Batch, Clear, Epoch, Field } from '@sluice/sdk';
import {
  type Row,
  Special,
  type SplitRecord,
  type StreamRecord,
  type TablePlan,
  UNCHANGED,
} from '@sluice/sdk';
import { canonicalRow } from '../values/canonical.js';
import { memoryErrors } from './memory-errors.js';

export interface MemoryTable {
  fields: readonly Field[];
  rows: Row[];
  /** The job that created it. */
  owner: string;
  /** `job generation` of the copy that was published last. */
  published?: string;
}

export interface MemoryJob {
  source: string;
  fence: bigint;
  streams: { [stream: string]: StreamRecord };
  splits: { [split: string]: SplitRecord };
}

/** An epoch that is staged, by its token's name. */
export interface PreparedEpoch {
  readonly epoch: Epoch;
  readonly messages: readonly (Batch | Clear)[];
  readonly tables: readonly TablePlan[];
}

export class MemoryDatabase {
  readonly tables = new Map<string, MemoryTable>();
  readonly jobs = new Map<string, MemoryJob>();
  /** Generations that are not published, by job, stream and generation. */
  readonly staging = new Map<string, Row[]>();
  /** Keys that a mirror's generation has written, by the same names. */
  readonly written = new Map<string, Set<string>>();
  readonly prepared = new Map<string, PreparedEpoch>();
}

const places = new Map<string, MemoryDatabase>();

export function openDatabase(place: string): MemoryDatabase {
  const database = new MemoryDatabase();
  places.set(place, database);
  return database;
}

export function databaseAt(place: string): MemoryDatabase {
  const found = places.get(place);
  if (found === undefined) throw memoryErrors.unreachable(`place ${place} is not open`);
  return found;
}

export function keyText(table: TablePlan, row: Row): string {
  return canonicalRow(
    table.schema.fields.filter(({ name }) => table.schema.key.includes(name)),
    row,
  );
}

/** The rows of a batch, as they will be stored; throws a `data` error for the first that cannot be. */
export function storable(table: TablePlan, batch: Batch): Row[] {
  for (const row of batch.rows()) {
    for (const { name } of table.schema.fields) {
      const value = row[name];
      if (value instanceof Special && value.text === 'no such decimal') {
        throw memoryErrors.valueRefused(`column ${name} cannot hold ${value.text}`);
      }
    }
  }
  return batch.rows().map((row): Row => ({ ...row }));
}

/** Adds rows; one that lacks a column's value has nothing to take it from. */
export function appendRows(rows: Row[], added: readonly Row[]): void {
  for (const row of added) {
    if (Object.values(row).includes(UNCHANGED))
      throw memoryErrors.valueRefused('a row has UNCHANGED columns');
  }
  rows.push(...added);
}

/** Applies changes by key, in order. `written` learns the keys that are there afterwards. */
export function applyByKey(
  rows: Row[],
  batch: Batch,
  changes: readonly Row[],
  keyOf: (row: Row) => string,
  written: Set<string>,
): void {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  for (const [i, row] of changes.entries()) {
    const op = batch.opAt(i);
    const key = keyOf(row);
    if (op === 'move') forget(keyOf(batch.before!.rows()[i]!));
    if (op === 'delete') {
      forget(key);
      continue;
    }
    const there = byKey.get(key);
    if (there === undefined && Object.values(row).includes(UNCHANGED)) continue;
    for (const [name, value] of Object.entries(row)) if (value === UNCHANGED) row[name] = there![name]!;
    byKey.set(key, row);
    written.add(key);
  }
  rows.splice(0, rows.length, ...byKey.values());

  function forget(key: string): void {
    byKey.delete(key);
    written.delete(key);
  }
}
