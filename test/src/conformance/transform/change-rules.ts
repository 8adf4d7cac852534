/** Rules of changes: a target that follows them has, at the end, what a copy would bring. */
import { type BoundTransform, type Field, type Row, type StreamSchema, UNCHANGED } from '@sluice/sdk';
import { demand } from '../rule.js';
import { canonicalRow, canonicalValue } from '../values/canonical.js';
import { demandSameRows } from '../values/row-multiset.js';
import { batchOf, type Change, historyOf, rowsAtTheEnd, type Sent, Target } from './history.js';
import { rereadRows } from './rows-of.js';
import { hasKey, type TransformRule } from './transform-rule.js';
import { applied, type TransformSession } from './transform-subject.js';

export const changeRules: readonly TransformRule[] = [
  {
    id: 'TRF-20',
    must: 'What comes of inserts MUST be inserts.',
    fix: 'Leave the op of new rows as it is: a full copy is new to its generation.',
    async check(session) {
      for (const made of applied(await session.bind(), session.batch())) {
        for (let i = 0; i < made.rowCount; i++)
          demand(made.opAt(i) === 'insert', `a row that came as an insert left as an ${made.opAt(i)}`);
      }
    },
  },
  {
    id: 'TRF-21',
    must: 'Changes MUST leave in a target what the transform makes of the rows that the source has in the end.',
    fix: 'A row that comes out no longer is deleted by the key that it had, one that comes out newly arrives whole, and one whose key is made anew moves.',
    concerns: hasKey,
    async check(session) {
      for (const sent of ['whole', 'changed'] as const) await demandFollows(session, session.schema, sent);
      const keyed = changesWith(session.schema, 'before', session.schema.key);
      if (needsNoMore(await session.bind(keyed), keyed)) await demandFollows(session, keyed, 'keys');
    },
  },
  {
    id: 'TRF-22',
    must: 'What was not sent MUST stay UNCHANGED or become what the whole row would give: never null, and nothing else.',
    fix: 'Look at the column’s `absent` bits (UNCHANGED in rows) before its nulls; take the value from the row as it was, or leave the result UNCHANGED.',
    concerns: hasKey,
    async check(session) {
      demandParts(session, await bindWithBefore(session), (change) => change);
      const alone = await bindAlone(session);
      if (alone !== undefined) demandParts(session, alone, ({ op, row }) => ({ op, row }));
    },
  },
  {
    id: 'TRF-23',
    must: 'Changes that lack no more than what is not needed MUST be taken.',
    fix: 'Name in `needs` the values without which a change cannot be applied; do without the others.',
    concerns: hasKey,
    async check(session) {
      const alone = await bindAlone(session);
      if (alone === undefined) return;
      const { bound, schema, optional } = alone;
      for (const { row, before } of updatesOf(session)) {
        const part = lacking(row, before, optional);
        const key = keyOf(session, row);
        const changes: Change[] = [
          { op: 'update', row: part },
          { op: 'upsert', row: part },
          { op: 'delete', row: key, before: key },
          { op: 'delete', row: key },
        ];
        for (const change of changes) applied(bound, batchOf(session, [change], schema));
      }
    },
  },
];

/** The stream as the engine describes it when changes come without values of all columns but the key. */
function changesWith(schema: StreamSchema, unsent: 'before' | 'both', but: readonly string[]): StreamSchema {
  const fields = schema.fields.map((f): Field => {
    if (schema.key.includes(f.name)) return f;
    return { ...f, unsent: but.includes(f.name) ? 'before' : unsent };
  });
  return { ...schema, fields };
}

/** Whether the plan would let it have such changes. */
function needsNoMore({ needs = {} }: BoundTransform, { fields }: StreamSchema): boolean {
  const unsent = new Map(fields.map((f) => [f.name, f.unsent]));
  const after = needs.after?.every((name) => unsent.get(name) !== 'both') ?? true;
  return after && (needs.before?.every((name) => unsent.get(name) === undefined) ?? true);
}

async function demandFollows(session: TransformSession, schema: StreamSchema, sent: Sent): Promise<void> {
  const bound = await session.bind(schema);
  const { key, fields } = bound.out;
  if (key.length === 0) return;
  const target = new Target(key, session.ofChange);
  for (const batch of historyOf(session, sent)) {
    const given = batch.derive(
      schema,
      schema.fields.map((_, i) => i),
    );
    for (const made of applied(bound, given)) target.follow(made);
  }
  const copy = new Target(key, session.ofChange);
  for (const made of applied(bound, session.batch(rowsAtTheEnd(session), {}, schema))) copy.follow(made);
  demandSameRows(
    target.texts(fields),
    copy.texts(fields),
    `a target after changes (sent: ${sent}), and a copy`,
  );
}

interface Lacking {
  readonly bound: BoundTransform;
  readonly schema: StreamSchema;
  /** Columns whose values may be left out where they are as they were. */
  readonly optional: readonly string[];
}

/** Bound to changes that bring the row as it was. */
async function bindWithBefore(session: TransformSession): Promise<Lacking> {
  const { schema } = session;
  const others = schema.fields.map(({ name }) => name).filter((name) => !schema.key.includes(name));
  return { bound: await session.bind(), schema, optional: others };
}

/** Bound to changes without the row as it was, if the plan would let it have such. */
async function bindAlone(session: TransformSession): Promise<Lacking | undefined> {
  const { bound: free, optional } = await bindWithBefore(session);
  const { after = [] } = free.needs ?? {};
  const schema = changesWith(session.schema, 'both', after);
  const bound = await session.bind(schema);
  if (!needsNoMore(bound, schema)) return undefined;
  return { bound, schema, optional: optional.filter((name) => !after.includes(name)) };
}

/** Updates that leave some values as they were. */
function updatesOf({ rows, schema }: TransformSession): (Change & { readonly before: Row })[] {
  return rows.map((before, i) => {
    const other = rows[(i + 1) % rows.length]!;
    const kept = schema.fields.filter(({ name }, at) => schema.key.includes(name) || (at + i) % 2 === 0);
    const row: Row = {
      ...other,
      ...Object.fromEntries(kept.map(({ name }) => [name, before[name] ?? null])),
    };
    return { op: 'update', row, before };
  });
}

/** The row without those values that may be left out and are as they were. */
function lacking(row: Row, before: Row, optional: readonly string[]): Row {
  const same = optional.filter((name) => row[name] === before[name]);
  return { ...row, ...Object.fromEntries(same.map((name) => [name, UNCHANGED])) };
}

function keyOf({ schema }: TransformSession, row: Row): Row {
  return Object.fromEntries(schema.key.map((name) => [name, row[name]!]));
}

/** Applies each update with all of its values, and without those that may be left out. */
function demandParts(
  session: TransformSession,
  { bound, schema, optional }: Lacking,
  sent: (change: Change) => Change,
): void {
  for (const change of updatesOf(session)) {
    const whole = sent(change);
    const part = { ...whole, row: lacking(whole.row, change.before, optional) };
    const [full, partial] = [whole, part].map((one) => applied(bound, batchOf(session, [one], schema)));
    demandPartOf(partial!, full!, session);
  }
}

type Batches = ReturnType<BoundTransform['apply']>;

function demandPartOf(partial: Batches, full: Batches, { ofChange }: TransformSession): void {
  const [parts, wholes] = [partial, full].map((batches) =>
    batches.flatMap((batch) => rereadRows(batch).map((row, i) => ({ batch, row, op: batch.opAt(i) }))),
  ) as [Made[], Made[]];
  const shown = (made: Made[]) =>
    made.map(({ batch, op }) => `${op} of ${batch.stream}`).join(', ') || 'nothing';
  demand(
    shown(parts) === shown(wholes),
    () => `a change in part became ${shown(parts)}, the whole one ${shown(wholes)}`,
  );
  for (const [i, { batch, row }] of parts.entries()) {
    const whole = wholes[i]!.row;
    for (const f of batch.schema.fields) {
      if (row[f.name] === UNCHANGED || ofChange.includes(f.name)) continue;
      const [is, was] = [row, whole].map((each) => canonicalValue(f.type, each[f.name]));
      demand(
        is === was,
        () =>
          `${f.name} became ${is} of a change in part, ${was} of the whole row ${canonicalRow(batch.schema.fields, whole)}`,
      );
    }
  }
}

interface Made {
  readonly batch: Batches[number];
  readonly row: Row;
  readonly op: string;
}
