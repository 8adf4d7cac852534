/** Reading a split to its end, and what came of it. */
import type { Batch, Json, Message } from '@sluice/sdk';
import { demand } from '../rule.js';
import { canonicalRow } from '../values/canonical.js';
import type { OpenOptions, PlannedSplit, PlanRequest, SourceSession } from './source-subject.js';

/** A checkpoint, and how many rows and batches came before it. */
export interface Mark {
  readonly position: Json;
  readonly sealed: boolean;
  readonly rows: number;
  readonly batches: number;
}

export interface Reading {
  /** One text a row, stream and op included, in the order of arrival. */
  readonly rows: readonly string[];
  readonly marks: readonly Mark[];
  readonly batches: readonly Batch[];
  /** Messages behind a sealed checkpoint. */
  readonly afterSeal: number;
  /** Rows behind the last checkpoint: nobody would ever commit them. */
  readonly unmarked: number;
}

/** Reads a split and closes its reader. */
export async function readSplit(
  session: SourceSession,
  planned: PlannedSplit,
  options: OpenOptions = {},
): Promise<Reading> {
  const reader = await session.open(planned, options);
  try {
    return await collect(reader);
  } finally {
    await session.close(reader);
  }
}

async function collect(messages: AsyncIterable<Message>): Promise<Reading> {
  const batches: Batch[] = [];
  const marks: Mark[] = [];
  let rows = 0;
  let afterSeal = 0;
  let isSealed = false;
  for await (const message of messages) {
    if (isSealed) afterSeal++;
    if (message.kind === 'batch') {
      batches.push(message);
      rows += message.rowCount;
    } else if (message.kind === 'checkpoint') {
      const sealed = message.sealed === true;
      marks.push({ position: message.position, sealed, rows, batches: batches.length });
      isSealed ||= sealed;
    }
  }
  return {
    rows: batches.flatMap(textsOf),
    marks,
    batches,
    afterSeal,
    unmarked: rows - (marks.at(-1)?.rows ?? 0),
  };
}

/** One text a row: what the row means and holds. */
export function textsOf(batch: Batch): string[] {
  return batch.rows().map((row, i) => {
    const op = batch.opAt(i);
    return `${batch.stream}: ${op === 'insert' ? '' : `${op} `}${canonicalRow(batch.schema.fields, row)}`;
  });
}

export interface ReadPart {
  readonly planned: PlannedSplit;
  readonly reading: Reading;
}

/** Plans the streams and reads every split from its start. Throws when all streams together have no row. */
export async function readWhole(
  session: SourceSession,
  options: OpenOptions = {},
  request: PlanRequest = {},
): Promise<ReadPart[]> {
  const parts: ReadPart[] = [];
  for (const planned of await session.plan(request)) {
    parts.push({ planned, reading: await readSplit(session, planned, options) });
  }
  const isWhole = request.streams === undefined;
  demand(
    !isWhole || rowsOf(parts).length > 0,
    'the streams have no rows: give the kit some, so that there is something to judge',
  );
  return parts;
}

/** All rows of some parts. */
export function rowsOf(parts: readonly ReadPart[]): string[] {
  return parts.flatMap(({ reading }) => reading.rows);
}

/** How many checkpoints the longest split should have for a rule that tries each of them. */
const CHECKPOINTS = 12;

/** Each split read in batches so small that there are some checkpoints to try. */
export async function readFinely(session: SourceSession, request: PlanRequest = {}): Promise<ReadPart[]> {
  const coarse = await readWhole(session, {}, request);
  const longest = Math.max(...coarse.map(({ reading }) => reading.rows.length));
  return readWhole(session, { batchRows: Math.max(1, Math.ceil(longest / CHECKPOINTS)) }, request);
}
