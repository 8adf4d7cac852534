/** How the deliberately broken sinks are made. */
import type { Batch, Protocol, Row, TablePlan, WriteMode } from '@sluice/sdk';
import type { SinkOptions } from '../sink/sink-subject.js';
import { MemorySink } from './memory-sink.js';
import type { MemorySinkConfig } from './memory-sink-config.js';
import { memorySinkConnector, memorySinkOptions } from './memory-sink-connector.js';

export interface BrokenSink {
  /** The rule that catches it. */
  readonly rule: string;
  /** What it does wrong. */
  readonly what: string;
  readonly options: SinkOptions;
  /** The write mode in which it shows. */
  readonly write?: WriteMode;
}

/** What a broken sink is, besides its class. */
export interface Where {
  readonly protocol?: Protocol;
  readonly write?: WriteMode;
}

type MemorySinkClass = new (config: MemorySinkConfig) => MemorySink;

/** A sink of a class that derives from the one that keeps the rules. */
export function brokenSink(
  rule: string,
  what: string,
  Class: MemorySinkClass,
  where: Where = {},
): BrokenSink {
  const { protocol = 'atomic', write } = where;
  const options = memorySinkOptions(
    protocol,
    memorySinkConnector((parsed) => new Class(parsed)),
  );
  return { rule, what, options, ...(write && { write }) };
}

/** A sink that stores other rows than it gets. */
export function changedRows(
  rule: string,
  what: string,
  change: (rows: Row[], batch: Batch) => Row[],
  where?: Where,
): BrokenSink {
  return brokenSink(
    rule,
    what,
    class extends MemorySink {
      protected override rowsOf(table: TablePlan, batch: Batch): Row[] {
        return change(super.rowsOf(table, batch), batch);
      }
    },
    where,
  );
}
