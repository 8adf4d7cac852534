/**
 * `route`: rows go on under other names of streams, all of them under one or each by what it holds.
 *
 * Every route is to changes what a filter is: a row that an update sends elsewhere is deleted where it was.
 */
import {
  type Batch,
  defineTransform,
  renderName,
  routedStream,
  type StreamSchema,
  templateProblem,
} from '@sluice/sdk';
import { z } from 'zod';
import { holds, noResult } from './condition.js';
import { expressionErrors } from './errors.js';
import { compileCondition, type Expression } from './expression/expression.js';
import { fateOf, settle } from './fates.js';
import { inputsOf } from './inputs.js';

const name = z
  .string()
  .min(1)
  .superRefine((text, c) => {
    const problem = templateProblem(text);
    if (problem !== undefined) c.addIssue({ code: 'custom', message: problem });
  });

const options = z
  .strictObject({
    to: name
      .optional()
      .describe(
        'The name under which all rows go on: a template with {stream}, {schema} and {name}, as `name` of a sink is one.',
      ),
    by: z
      .array(
        z.strictObject({
          where: z.string().min(1).describe('A condition, in CEL.'),
          to: name.describe('The name under which rows go on for which it is the first that is true.'),
        }),
      )
      .min(1)
      .optional()
      .describe('Names by condition, in place of `to`.'),
    else: name
      .nullable()
      .optional()
      .describe('With `by`: the name under which all other rows go on; null leaves them out.'),
  })
  .superRefine((given, c) => {
    if ((given.to === undefined) === (given.by === undefined)) {
      c.addIssue({ code: 'custom', message: 'either "to" or "by" says where rows go' });
    } else if ((given.by === undefined) !== (given.else === undefined)) {
      c.addIssue({
        code: 'custom',
        path: ['else'],
        message: 'goes with "by", and says where other rows go (null: nowhere)',
      });
    }
  });

export const routeTransform = defineTransform({
  name: 'route',
  title: 'Sends rows on under other names of streams, by what they hold',
  options,
  errors: expressionErrors,
  bind(schema, { to, by = [], else: other = to }) {
    const rules = by.map((rule) => ({ when: compileCondition(rule.where, schema), to: rendered(rule.to) }));
    const rest = other === undefined || other === null ? undefined : rendered(other);
    const routes = [...new Set([...rules.map((rule) => rule.to), ...(rest === undefined ? [] : [rest])])];
    const reads = [...new Set(rules.flatMap(({ when }) => when.reads.map((i) => schema.fields[i]!.name)))];
    const switchboard: Switchboard = {
      byKey: reads.every((column) => schema.key.includes(column)),
      conditions: rules.map(({ when }) => when),
      routeOf: [
        ...rules.map((rule) => routes.indexOf(rule.to)),
        rest === undefined ? -1 : routes.indexOf(rest),
      ],
      schemas: routes.map((route) => ({ ...schema, stream: routedStream(schema.stream, route) })),
    };
    return {
      out: schema,
      routes,
      reads,
      writes: [],
      needs: { after: reads, before: reads },
      rung: 'columns',
      apply: (batch) => {
        const made = rules.length === 0 ? [batch] : routed(batch, switchboard);
        return made
          .map((one, i) => named(one, switchboard.schemas[i]!))
          .filter(({ rowCount }) => rowCount > 0);
      },
    };

    function rendered(template: string): string {
      return renderName(template, schema.stream);
    }
  },
});

interface Switchboard {
  /** Whether the key alone decides: rows that keep it stay where they are. */
  readonly byKey: boolean;
  readonly conditions: readonly Expression[];
  /** For each condition, and last for rows that match none, the route; -1 leaves a row out. */
  readonly routeOf: readonly number[];
  readonly schemas: readonly StreamSchema[];
}

/** What each route gets of a batch. */
function routed(batch: Batch, board: Switchboard): Batch[] {
  const { rowCount } = batch;
  const rows = Array.from({ length: rowCount }, (_, row) => row);
  const now = destinations(batch, board, (row) => batch.opAt(row) !== 'delete');
  if (batch.op === 'insert') {
    return board.schemas.map((_, route) =>
      batch.select(Uint32Array.from(rows.filter((row) => now[row] === route))),
    );
  }
  const before = batch.before && destinations(batch.before, board, () => false);
  const keyed = batch.schema.key.length > 0;
  return board.schemas.map((_, route) => {
    const fates = rows.map((row) => {
      const op = batch.opAt(row);
      // A deleted row is the row as it was, as far as that is known.
      if (op === 'delete') return (now[row] ?? route) === route ? 'pass' : 'drop';
      const was = before?.[row] ?? (board.byKey && op !== 'move' ? now[row] : undefined);
      return fateOf(op, now[row] === route, was === undefined ? undefined : was === route, keyed);
    });
    return settle(batch, fates);
  });
}

/** Where each row goes; undefined where that cannot be told. A row for which it must be known is refused then. */
function destinations(
  batch: Batch,
  { conditions, routeOf }: Switchboard,
  needed: (row: number) => boolean,
): (number | undefined)[] {
  const inputs = inputsOf(batch);
  const matches = conditions.map((condition) => condition.evaluate(inputs));
  return Array.from({ length: batch.rowCount }, (_, row) => {
    for (const [i, match] of matches.entries()) {
      const matched = holds(match, row);
      if (matched === true) return routeOf[i];
      if (matched === false) continue;
      if (needed(row)) throw noResult(batch, row, match.errors!.get(row)!);
      return undefined;
    }
    return routeOf.at(-1);
  });
}

function named(batch: Batch, schema: StreamSchema): Batch {
  return batch.derive(
    schema,
    schema.fields.map((_, i) => i),
  );
}
