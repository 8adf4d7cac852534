/** Rules of what a transform says of columns: by these the engine decides what is decoded and what changes must bring. */
import {
  type Batch,
  type BoundTransform,
  type Column,
  type Field,
  fieldIndex,
  formatType,
  type Row,
} from '@sluice/sdk';
import { demand } from '../rule.js';
import { canonicalRow, canonicalValue } from '../values/canonical.js';
import { demandSameTexts, rereadRows } from './rows-of.js';
import type { TransformRule } from './transform-rule.js';
import { applied, type TransformSession } from './transform-subject.js';

export const columnRules: readonly TransformRule[] = [
  {
    id: 'TRF-17',
    must: 'A transform that works on columns MUST look at no column but those in reads.',
    fix: 'Hand columns on by their index, undecoded, and make new ones of columns that `reads` names.',
    async check(session) {
      const bound = await session.bind();
      if (bound.rung === 'rows') return;
      demandUnlooked(bound, session, undefined);
      for (const name of bound.writes) demandUnlooked(bound, session, name);
    },
  },
  {
    id: 'TRF-18',
    must: 'Values of a column that is not in reads MUST change nothing but that column.',
    fix: 'Name in `reads` every column that a result, a condition or a key is made of.',
    async check(session) {
      const bound = await session.bind();
      const given = applied(bound, session.batch());
      for (const { name } of session.schema.fields) {
        if (bound.reads.includes(name)) continue;
        const made = applied(bound, session.batch(turned(session.rows, name)));
        const others = fieldsWithout(bound, session, name);
        demandSameTexts(
          partsOf(made, others),
          partsOf(given, others),
          `rows with other values in ${name}, and before,`,
        );
      }
    },
  },
  {
    id: 'TRF-19',
    must: 'A column that is not in writes MUST come out as it came: its name, its type and its values.',
    fix: 'Name in `writes` every column of `out` that is new, has another type or other values.',
    async check(session) {
      const { schema, rows } = session;
      const bound = await session.bind();
      const kept = bound.out.fields.filter(({ name }) => !bound.writes.includes(name));
      for (const f of kept) {
        const own = schema.fields.find(({ name }) => name === f.name);
        demand(own !== undefined, `the column ${f.name} is new`);
        const [is, was] = [formatType(f.type), formatType(own.type)];
        demand(is === was && f.nullable === own.nullable, `the column ${f.name} is ${is}, it came as ${was}`);
      }
      for (const row of rows) {
        for (const made of applied(bound, session.batch([row])).flatMap(rereadRows)) {
          for (const { name, type } of kept) {
            const [is, was] = [made, row].map((each) => canonicalValue(type, each[name]));
            demand(is === was, `${name} came as ${was} and left as ${is}`);
          }
        }
      }
    },
  },
];

/** Throws when applying, or making the column `made`, looks at columns that are not read; a column may be handed on under another name. */
function demandUnlooked(bound: BoundTransform, session: TransformSession, made: string | undefined): void {
  const whole = session.batch();
  const looked = new Map<string, Column>();
  const origins = whole.schema.fields.map(({ name }, i) => () => {
    if (!bound.reads.includes(name)) looked.set(name, whole.column(i));
    return whole.column(i);
  });
  const batches = bound.apply(whole.derive(whole.schema, origins));
  if (made !== undefined) {
    for (const batch of batches) {
      const column = batch.column(fieldIndex(batch.schema, made));
      for (const [name, given] of looked) if (given === column) looked.delete(name);
    }
  }
  const what = made === undefined ? 'applying it' : `making ${made}`;
  demand(looked.size === 0, () => `${what} looked at ${[...looked.keys()].join(', ')}`);
}

/** The rows with the values of one column moved on by a row. */
function turned(rows: readonly Row[], name: string): Row[] {
  return rows.map((row, i) => ({ ...row, [name]: rows[(i + 1) % rows.length]![name] ?? null }));
}

/** The fields of the output that are not this column of the input, under its name or another. */
function fieldsWithout(bound: BoundTransform, session: TransformSession, name: string): Field[] {
  const batch = session.batch();
  const given = batch.column(fieldIndex(batch.schema, name));
  const handedOn = new Set(
    applied(bound, batch)
      .flatMap((made) =>
        made.schema.fields.filter((f, i) => bound.writes.includes(f.name) && made.column(i) === given),
      )
      .map((f) => f.name),
  );
  return bound.out.fields.filter((f) =>
    bound.writes.includes(f.name) ? !handedOn.has(f.name) : f.name !== name,
  );
}

/** One text a row, of some columns. */
function partsOf(batches: readonly Batch[], fields: readonly Field[]): string[] {
  return batches.flatMap((batch) =>
    rereadRows(batch).map((row, i) => `${batch.stream}: ${batch.opAt(i)} ${canonicalRow(fields, row)}`),
  );
}
