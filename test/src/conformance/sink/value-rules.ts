/** Rules of values: every one is stored as it is, or refused; none is bent. */
import { type Row, Special, types, UNCHANGED, type Value } from '@sluice/sdk';
import { demandCoded } from '../coded-error.js';
import { outcome } from '../patience.js';
import { demand } from '../rule.js';
import { shorten, show } from '../show.js';
import { canonicalRow, canonicalValue } from '../values/canonical.js';
import { demandNoLessThan, demandSameRows } from '../values/row-multiset.js';
import { type TypeCase, typeMatrix } from '../values/type-matrix.js';
import { sampleValues } from '../values/value-arbitrary.js';
import { finish } from './commit-rules.js';
import { order, orderRange, orders } from './sample-rows.js';
import { byKey, type SinkRule, withRecord } from './sink-rule.js';
import type { SinkSession } from './sink-subject.js';
import { type Fate, storeEach } from './store-each.js';

const SAMPLES = 12;

export const valueRules: readonly SinkRule[] = [
  {
    id: 'SNK-58',
    per: 'mode',
    reads: true,
    must: 'Every value of every logical type MUST be stored as it is, from batches of columns and of rows alike, or refused: by a lossy verdict of the plan, or with a coded error of class config (plan) or data (write).',
    fix: 'Find the value in the mapping of its type: give the type another column, check the range, or declare the mapping lossy and say what is lost.',
    async check(session) {
      const cases = chosen(session).map(
        (of): TypeCase => ({
          ...of,
          values: [...of.values, null, ...sampleValues(of.type, session.seed, SAMPLES)],
        }),
      );
      for (const fate of await storeEach(session, cases)) {
        demandKept(session, fate, (found, value) => isSame(fate, found, value));
      }
    },
  },
  {
    id: 'SNK-59',
    per: 'mode',
    reads: true,
    must: 'A special value MUST be stored as the system’s own such value or as its text, or be refused with a coded error of class data; it MUST NOT become null or another value.',
    fix: 'Look at `Column.special`: such rows are null in `validity`, and are no nulls.',
    async check(session) {
      const cases = chosen(session).flatMap(({ name, type, special }): TypeCase[] =>
        special === undefined ? [] : [{ name, type, values: special.map((text) => new Special(text)) }],
      );
      for (const fate of await storeEach(session, cases)) {
        demandKept(session, fate, (found, value) => isPlaced(found, value as Special));
      }
    },
  },
  {
    id: 'SNK-60',
    per: 'mode',
    reads: true,
    concerns: (of) => !byKey(of),
    must: 'A row that has UNCHANGED columns and no row to take them from MUST be refused with a coded error, never stored with nulls.',
    fix: 'Look at `Column.absent` in inserts: such rows are null in `validity`, and are no nulls.',
    async check(session) {
      const cases: TypeCase[] = [
        { name: 'text', type: types.string, values: [UNCHANGED as Value] },
        { name: 'number', type: types.int32, values: [UNCHANGED as Value] },
      ];
      for (const fate of await storeEach(session, cases)) {
        for (const { from, refusal, found } of fate.values) {
          const what = `an UNCHANGED ${fate.of.name} in a batch of ${from}`;
          demand(refusal !== undefined, `${what} was taken, and stored as ${show(found)}`);
          demandCoded(refusal, what);
        }
      }
    },
  },
  {
    id: 'SNK-61',
    per: 'mode',
    reads: true,
    must: 'After a batch was refused and aborted, the writer MUST take and commit the rows that are good.',
    fix: 'Roll back what the refused batch began, also in a transaction that the system has marked as failed.',
    async check(session) {
      const run = await session.run();
      const table = await run.begin(orders());
      const lane = await run.lane(table);
      await lane.write(orderRange(0, 2));
      await lane.commit();
      const bad: Row = { ...order(2), amount: new Special('no such decimal') };
      for (const rows of [[order(3), bad, order(4)], [bad]]) {
        await lane.write([order(5)]);
        const refused = await outcome(lane.write(rows).then(() => lane.commit()));
        // A system that takes any text there has nothing to refuse.
        if (!('error' in refused)) return;
        demandCoded(refused.error, 'a special value that nothing can hold', ['data']);
        await lane.writer.abort();
      }
      await lane.write(orderRange(2, 4));
      await lane.commit({ sealed: true });
      await finish(session);
      const wanted = orderRange(0, 4).map((row) => canonicalRow(table.schema.fields, row));
      const found = await session.rowsOf(table);
      if (withRecord(session)) demandSameRows(found, wanted, 'rows around a refused batch');
      else demandNoLessThan(found, wanted, 'rows around a refused batch');
    },
  },
];

function chosen({ options: { exceptTypes = {} } }: SinkSession): readonly TypeCase[] {
  for (const name of Object.keys(exceptTypes)) {
    demand(
      typeMatrix.some((of) => of.name === name),
      `the kit has no type ${name} to except`,
    );
  }
  return typeMatrix.filter(({ name }) => !(name in exceptTypes));
}

/** Each value of a type was refused in a proper way, or is there as `isKept` wants it. */
function demandKept(
  session: SinkSession,
  { of, values, refused, verdict }: Fate,
  isKept: (found: Value, value: Value) => boolean,
): void {
  const isExact = withRecord(session);
  if (refused !== undefined)
    return void demandCoded(refused, `a column of type ${of.name}`, ['config', 'contract', 'data']);
  for (const { value, from, refusal, isThere, found } of values) {
    const shown = `${of.name} ${shorten(canonicalValue(of.type, value), 120)} in a batch of ${from}`;
    if (refusal !== undefined) {
      demandCoded(refusal, shown, ['data']);
      demand(!isThere || !isExact, () => `${shown} was refused, and a row of it is there`);
    } else {
      demand(isThere, `${shown} was taken, and no row of it is there`);
      const kept = verdict === 'lossy' || isKept(found, value);
      demand(
        kept,
        () =>
          `${shown} was stored as ${shorten(canonicalValue(of.type, found), 120)}; the plan says ${verdict}`,
      );
    }
  }
}

function isSame({ of: { type }, verdict }: Fate, found: Value, value: Value): boolean {
  if (canonicalValue(type, found) === canonicalValue(type, value)) return true;
  const isNormalised = type.kind === 'json' && (verdict !== 'exact' || type.text === 'normalised');
  return isNormalised && typeof found === 'string' && typeof value === 'string' && sameDocument(found, value);
}

/** Whether two JSON texts are the same document; numbers by their digits. */
function sameDocument(a: string, b: string): boolean {
  const normal = (text: string) => JSON.stringify(JSON.parse(text));
  return normal(a) === normal(b);
}

/** Whether a special value is there: as itself, or as its text in the system's notation. */
function isPlaced(found: Value, { text }: Special): boolean {
  if (found === null || (typeof found === 'object' && !(found instanceof Special))) return false;
  return notation(found instanceof Special ? found.text : String(found)) === notation(text);
}

/** Systems write out what a text leaves open: midnight, the zone, the case of words. */
function notation(text: string): string {
  return text.toLowerCase().replace(/[ t]00:00:00(\+00(:00)?|z)?/, '');
}
