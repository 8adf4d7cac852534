/** Sinks that mistake keys or bend values. */
import type { Batch, Row, TablePlan, Value } from '@sluice/sdk';
import { Special, UNCHANGED } from '@sluice/sdk';
import { type BrokenSink, brokenSink, changedRows, type Where } from './broken-sink.js';
import { MemorySink } from './memory-sink.js';

const upserting: Where = { write: 'upsert' };

export const brokenKeys: readonly BrokenSink[] = [
  brokenSink(
    'SNK-52',
    'keeps the first row of a key',
    class extends MemorySink {
      protected override upsert(rows: Row[], table: TablePlan, batch: Batch, written: Set<string>): void {
        const reversed = Uint32Array.from({ length: batch.rowCount }, (_, i) => batch.rowCount - 1 - i);
        super.upsert(rows, table, batch.select(reversed), written);
      }
    },
    upserting,
  ),
  brokenSink(
    'SNK-53',
    'deletes after it has written',
    class extends MemorySink {
      protected override upsert(rows: Row[], table: TablePlan, batch: Batch, written: Set<string>): void {
        const order = Array.from({ length: batch.rowCount }, (_, i) => i);
        order.sort((a, b) => Number(batch.opAt(a) === 'delete') - Number(batch.opAt(b) === 'delete'));
        super.upsert(rows, table, batch.select(Uint32Array.from(order)), written);
      }
    },
    upserting,
  ),
  brokenSink(
    'SNK-54',
    'takes a move for an upsert',
    class extends MemorySink {
      protected override upsert(rows: Row[], table: TablePlan, batch: Batch, written: Set<string>): void {
        const moves = batch.opAt(0) === 'move';
        super.upsert(
          rows,
          table,
          moves
            ? batch.derive(
                batch.schema,
                batch.schema.fields.map((_, i) => i),
              )
            : batch,
          written,
        );
      }
      protected override keyOf(table: TablePlan, row: Row): string {
        return row['name'] === UNCHANGED ? 'nobody' : super.keyOf(table, row);
      }
    },
    upserting,
  ),
  changedRows(
    'SNK-55',
    'takes UNCHANGED for null',
    (rows) => eachValue(rows, (value) => (value === UNCHANGED ? null : value)),
    upserting,
  ),
  brokenSink(
    'SNK-56',
    'compares keys without case',
    class extends MemorySink {
      protected override keyOf(table: TablePlan, row: Row): string {
        return super.keyOf(table, row).toLowerCase();
      }
    },
    upserting,
  ),
  brokenSink(
    'SNK-57',
    'joins key columns into one text',
    class extends MemorySink {
      protected override keyOf(table: TablePlan, row: Row): string {
        return table.schema.key.map((name) => String(row[name])).join('');
      }
    },
    upserting,
  ),
];

function eachValue(rows: readonly Row[], change: (value: Value) => Value): Row[] {
  return rows.map((row): Row => {
    const changed: Row = {};
    for (const [name, value] of Object.entries(row)) changed[name] = change(value as Value);
    return changed;
  });
}

/** As a careless driver does it: through a float. */
const asFloat = (value: Value): Value =>
  typeof value === 'bigint' ? BigInt.asIntN(64, BigInt(Number(value))) : value;

export const brokenValues: readonly BrokenSink[] = [
  changedRows('SNK-58', 'stores integers as floats', (rows) => eachValue(rows, asFloat)),
  changedRows('SNK-58', 'cuts long texts', (rows) =>
    eachValue(rows, (value) => (typeof value === 'string' ? value.slice(0, 65_535) : value)),
  ),
  changedRows('SNK-58', 'bends the values of batches of rows', (rows, batch) => {
    const { makeRows } = batch as unknown as { makeRows?: unknown };
    return makeRows === undefined ? rows : eachValue(rows, asFloat);
  }),
  changedRows('SNK-59', 'takes a special value for null', (rows) =>
    eachValue(rows, (value) => (value instanceof Special ? null : value)),
  ),
  changedRows('SNK-60', 'appends null for UNCHANGED', (rows) =>
    eachValue(rows, (value) => (value === UNCHANGED ? null : value)),
  ),
];
