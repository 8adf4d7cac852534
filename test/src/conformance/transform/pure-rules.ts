/** Rules of being pure: what becomes of a row depends on the row alone. */
import { Batch, type Column, slice } from '@sluice/sdk';
import { seededRandom } from '../../faults/seeded-random.js';
import { historyOf } from './history.js';
import { demandSameTexts, textsThrough } from './rows-of.js';
import type { TransformRule } from './transform-rule.js';
import type { TransformSession } from './transform-subject.js';

export const pureRules: readonly TransformRule[] = [
  {
    id: 'TRF-14',
    must: 'Applying MUST give the same each time: neither the clock, nor chance, nor what was applied before say anything.',
    fix: 'Compute from the row alone; what is one for a whole run is taken when the transform is bound.',
    async check(session) {
      const bound = await session.bind();
      const batches = [session.batch(), ...historyOf(session, 'whole')];
      const first = textsThrough(bound, batches);
      demandSameTexts(textsThrough(bound, batches), first, 'the same batches applied again');
    },
  },
  {
    id: 'TRF-15',
    must: 'Rows MUST become the same whatever batches they come in.',
    fix: 'Look at no other row of the batch, and let nothing depend on a row’s place in it.',
    async check(session) {
      const bound = await session.bind();
      for (const whole of [session.batch(), ...historyOf(session, 'whole')]) {
        const wanted = textsThrough(bound, [whole]);
        for (const parts of [ones(whole), pieces(whole, session.seed)])
          demandSameTexts(textsThrough(bound, parts), wanted, `rows in ${parts.length} batches and in one`);
      }
    },
  },
  {
    id: 'TRF-16',
    must: 'Rows MUST become the same from batches of rows, of columns, of columns that begin within larger buffers, and of columns that are decoded on demand.',
    fix: 'Read columns by valueReader() or begin at offsets[0]; ask a batch for columns or rows, not for what it was made of.',
    async check(session) {
      const bound = await session.bind();
      const wanted = textsThrough(bound, [session.batch()]);
      for (const [form, batch] of formsOf(session))
        demandSameTexts(textsThrough(bound, [batch]), wanted, `rows from a batch ${form} and of columns`);
    },
  },
];

function ones(batch: Batch): Batch[] {
  return Array.from({ length: batch.rowCount }, (_, row) => batch.select(Uint32Array.of(row)));
}

/** The batch cut at some places by chance. */
function pieces(batch: Batch, seed: number): Batch[] {
  const random = seededRandom(seed);
  const parts: Batch[] = [];
  for (let from = 0; from < batch.rowCount; ) {
    const to = Math.min(batch.rowCount, from + 1 + Math.floor(random() * 5));
    parts.push(batch.select(Uint32Array.from({ length: to - from }, (_, i) => from + i)));
    from = to;
  }
  return parts;
}

function formsOf(session: TransformSession): [string, Batch][] {
  const { schema, rows } = session;
  const columns = session.batch().columns();
  const around = session.batch([rows.at(-1)!, ...rows, rows[0]!]).columns();
  const within = around.map((column): Column => slice(column, 1, rows.length + 1));
  return [
    ['of rows', Batch.ofRows(schema, rows)],
    ['of columns within larger ones', Batch.ofColumns(schema, within, rows.length)],
    ['that is decoded on demand', Batch.ofDecoder(schema, rows.length, { column: (i) => columns[i]! })],
  ];
}
