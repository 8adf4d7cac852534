/** Rules of batches: what a reader yields, looked at by itself. */
import { isDeepStrictEqual } from 'node:util';
import { type Batch, columnBytes, type Message, OPS } from '@sluice/sdk';
import { demandJson } from '../json-trip.js';
import { demand, type Rule } from '../rule.js';
import { show, showDifference } from '../show.js';
import { type ColumnProblem, columnProblems } from '../values/column-check.js';
import { demandSameRows } from '../values/row-multiset.js';
import { shapeProblem } from '../values/value-shape.js';
import { readSplit, readWhole, textsOf } from './reading.js';
import { canReplay, type SourceRule } from './source-rule.js';
import type { SourceSession } from './source-subject.js';

const BATCH_ROWS = 64;

export const batchRules: readonly SourceRule[] = [
  {
    id: 'SRC-19',
    per: 'mode',
    must: 'A batch MUST be of a stream of its split and have the planned schema, or that of the last schema change.',
    fix: 'Build batches with the schema from `OpenRequest.reads`; yield a SchemaChange with a higher version before another.',
    async check(session) {
      for (const planned of await session.plan()) {
        const schemas = new Map(planned.reads.map(({ stream, schema }) => [stream, schema]));
        await eachMessage(session, planned, (message) => {
          if (message.kind === 'schema') {
            const before = schemas.get(message.schema.stream);
            demand(
              before !== undefined,
              `a schema change of ${message.schema.stream}, which is not of split ${planned.split.id}`,
            );
            demand(
              message.schema.version === before.version + 1,
              `version ${message.schema.version} follows ${before.version}`,
            );
            schemas.set(message.schema.stream, message.schema);
          } else if (message.kind === 'batch') {
            const wanted = schemas.get(message.stream);
            demand(
              wanted !== undefined,
              `a batch of ${message.stream}, which is not of split ${planned.split.id}`,
            );
            demand(
              isDeepStrictEqual(plain(message.schema), plain(wanted)),
              () =>
                `the schemas of a batch and of the plan differ ${showDifference(plain(message.schema), plain(wanted))}`,
            );
          }
        });
      }
    },
  },
  columnRule('layout', {
    id: 'SRC-20',
    must: 'Columns MUST have the layout of their type and the length of their batch.',
    fix: 'See the tables in values.ts and layout.ts of the SDK; columnBuilder() makes columns that keep to them.',
  }),
  columnRule('value', {
    id: 'SRC-21',
    must: 'Values MUST lie within their type: integers in range, decimals within precision and scale, text as UTF-8, enums by label, JSON documents whole.',
    fix: 'Hand on what does not fit as a special value, or give the column a type that holds it.',
  }),
  columnRule('null', {
    id: 'SRC-22',
    must: 'Columns that are not nullable MUST have a value in every row, and under a null bit the buffers MUST be empty.',
    fix: 'Declare the column nullable, or write zeros and empty ranges where there is no value.',
  }),
  {
    id: 'SRC-23',
    per: 'mode',
    must: 'A batch MUST have at most batchRows rows, an op for each, and before-images aligned with them.',
    fix: 'Cut batches at `OpenRequest.batchRows`; per-row ops are codes of OPS, one a row.',
    async check(session) {
      for (const batchRows of session.canReplay ? [7, BATCH_ROWS] : [7]) {
        for (const { reading } of await readWhole(session, { batchRows })) {
          for (const batch of reading.batches) {
            demand(
              batch.rowCount <= batchRows,
              `a batch has ${batch.rowCount} rows, batchRows is ${batchRows}`,
            );
            demandOps(batch);
          }
        }
      }
    },
  },
  {
    id: 'SRC-24',
    per: 'mode',
    must: 'A batch of several rows MUST NOT be larger than twice batchBytes.',
    fix: 'End a batch when its bytes reach `OpenRequest.batchBytes`; memory budgets count on it.',
    async check(session) {
      const batchBytes = 4096;
      for (const { reading } of await readWhole(session, { batchBytes })) {
        for (const batch of reading.batches) {
          const bytes = bytesOf(batch);
          demand(
            batch.rowCount <= 1 || bytes <= 2 * batchBytes,
            `a batch of ${batch.rowCount} rows has ${bytes} bytes, batchBytes is ${batchBytes}`,
          );
        }
      }
    },
  },
  {
    id: 'SRC-25',
    per: 'full',
    must: 'Rows of a bulk split MUST be inserts.',
    fix: 'A full copy is new to its generation: leave the op out.',
    async check(session) {
      for (const { reading } of await readWhole(session, { batchRows: BATCH_ROWS })) {
        for (const batch of reading.batches) {
          for (let i = 0; i < batch.rowCount; i++)
            demand(batch.opAt(i) === 'insert', `a row of a bulk split is an ${batch.opAt(i)}`);
        }
      }
    },
  },
  {
    id: 'SRC-26',
    per: 'mode',
    concerns: canReplay,
    must: 'A batch MUST NOT change once it has been handed on, nor while the reader reads on, nor when columns are first asked for later.',
    fix: 'Give each batch buffers of its own (or copies): do not reuse receive buffers, builders or row objects.',
    async check(session) {
      for (const planned of await session.plan()) {
        const early: string[] = [];
        const batches: Batch[] = [];
        await eachMessage(session, planned, (message) => {
          if (message.kind !== 'batch') return;
          early.push(...columnTexts(message));
          batches.push(message);
        });
        demandSameInOrder(
          batches.flatMap(columnTexts),
          early,
          'batches looked at when they came and at the end',
        );
        const untouched = await readSplit(session, planned, { batchRows: BATCH_ROWS });
        demandSameRows(
          untouched.batches.flatMap(columnTexts),
          early,
          'batches looked at for the first time at the end',
        );
      }
    },
  },
  {
    id: 'SRC-27',
    per: 'mode',
    must: 'The rows of a batch MUST be the values of its columns, in the forms of the table of values.',
    fix: 'Rows hold bigint for int64 and timestamps, text with exactly the scale’s digits for decimals, lower-case text for uuid, and so on.',
    async check(session) {
      for (const { reading } of await readWhole(session, { batchRows: BATCH_ROWS })) {
        for (const batch of reading.batches) {
          const { fields } = batch.schema;
          demand(
            batch.rows().length === batch.rowCount,
            `rows() has ${batch.rows().length} rows, rowCount is ${batch.rowCount}`,
          );
          for (const row of batch.rows()) {
            for (const f of fields) {
              const problem = shapeProblem(f, row[f.name]);
              demand(problem === undefined, `stream ${batch.stream}: ${problem}`);
            }
          }
          demandSameInOrder(textsOf(batch), columnTexts(batch), `rows and columns of ${batch.stream}`);
        }
      }
    },
  },
  {
    id: 'SRC-28',
    per: 'mode',
    concerns: canReplay,
    must: 'A reader that is asked for an encoding that discovery lists MUST offer it, with the same rows in its columns as without.',
    fix: 'Decode columns from the very bytes that are handed on; give rowCount as the number of rows in them.',
    async check(session) {
      const offering = (await session.catalog()).streams.filter(
        ({ encodings }) => (encodings?.length ?? 0) > 0,
      );
      for (const { schema, encodings } of offering) {
        const streams = [schema.stream];
        const plain = await readWhole(session, {}, { streams });
        const encoded = await readWhole(session, { batchRows: BATCH_ROWS }, { streams, encoding: true });
        const batches = encoded.flatMap(({ reading }) => reading.batches);
        for (const batch of batches)
          demand(
            batch.encoded?.format === encodings![0],
            `stream ${schema.stream} was asked for ${encodings![0]} and came as ${show(batch.encoded?.format)}`,
          );
        demandSameRows(
          batches.flatMap(columnTexts),
          plain.flatMap(({ reading }) => reading.batches.flatMap(columnTexts)),
          `stream ${schema.stream} encoded and not`,
        );
      }
    },
  },
  {
    id: 'SRC-29',
    per: 'mode',
    must: 'Positions MUST be JSON.',
    fix: 'Write a bigint, a date or bytes in a position as text.',
    async check(session) {
      for (const { planned, reading } of await readWhole(session, { batchRows: BATCH_ROWS })) {
        for (const { position } of reading.marks)
          demandJson(position, `a position of split ${planned.split.id}`);
      }
    },
  },
];

function columnRule(
  kind: ColumnProblem['kind'],
  about: Pick<Rule<SourceSession>, 'id' | 'must' | 'fix'>,
): SourceRule {
  return {
    ...about,
    per: 'mode',
    async check(session) {
      for (const { reading } of await readWhole(session, { batchRows: BATCH_ROWS })) {
        for (const batch of reading.batches) {
          for (const [i, f] of batch.schema.fields.entries()) {
            const problem = columnProblems(f, batch.column(i), batch.rowCount).find(
              (found) => found.kind === kind,
            );
            demand(problem === undefined, `stream ${batch.stream}, ${problem?.text}`);
          }
        }
      }
    },
  };
}

async function eachMessage(
  session: SourceSession,
  planned: Parameters<SourceSession['open']>[0],
  see: (message: Message) => void,
): Promise<void> {
  const reader = await session.open(planned, { batchRows: BATCH_ROWS });
  for await (const message of reader) see(message);
  await session.close(reader);
}

function columnTexts(batch: Batch): string[] {
  return textsOf(
    batch.derive(
      batch.schema,
      batch.schema.fields.map((_, i) => i),
    ),
  );
}

/** JSON drops what is undefined. */
function plain(schema: Batch['schema']): unknown {
  return JSON.parse(JSON.stringify(schema));
}

function demandOps({ op, rowCount, before }: Batch): void {
  if (typeof op !== 'string') {
    demand(op.length >= rowCount, `${op.length} ops for ${rowCount} rows`);
    for (let i = 0; i < rowCount; i++) demand(op[i]! < OPS.length, `op code ${op[i]} at row ${i}`);
  } else {
    demand(OPS.includes(op), `op ${show(op)}`);
  }
  demand(
    before === undefined || before.rowCount === rowCount,
    `before-images of ${before?.rowCount} rows for ${rowCount}`,
  );
}

function bytesOf(batch: Batch): number {
  return (
    batch.encoded?.bytes.byteLength ?? batch.columns().reduce((sum, column) => sum + columnBytes(column), 0)
  );
}

function demandSameInOrder(found: readonly string[], wanted: readonly string[], what: string): void {
  const at = found.findIndex((text, i) => text !== wanted[i]);
  demand(
    at < 0 && found.length === wanted.length,
    () => `${what} differ at row ${at}: ${show(found[at])} and ${show(wanted[at])}`,
  );
}
