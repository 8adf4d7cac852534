/** Rules of a sink's first verbs: check, identity, plan. */
import { isDeepStrictEqual } from 'node:util';
import { formatType, type Row, type StreamSchema, streamSchema, types, WRITE_MODES } from '@sluice/sdk';
import { demandCoded, demandRefusal } from '../coded-error.js';
import { demandJson, throughJson } from '../json-trip.js';
import { demandNoSecrets, saidBy } from '../no-secrets.js';
import { outcome, soon } from '../patience.js';
import { demand } from '../rule.js';
import { show, showDifference } from '../show.js';
import { deliver } from './deliver.js';
import { order, orderRange, orders } from './sample-rows.js';
import { type SinkRule, withRecord } from './sink-rule.js';
import type { SinkSession } from './sink-subject.js';

export const planRules: readonly SinkRule[] = [
  {
    id: 'SNK-01',
    per: 'sink',
    must: 'A sink MUST declare the same capabilities in every object, and the protocol of each mode that it is used in.',
    fix: 'Make `capabilities` a constant of the configuration; `writers` is a whole number of at least 1.',
    async check(session) {
      const { modes, writers, epoch = {} } = await session.withSink(async ({ capabilities }) => capabilities);
      await session.withSink(async (second) =>
        demand(isDeepStrictEqual(second.capabilities.modes, modes), 'two objects declare different modes'),
      );
      for (const [mode, protocol] of Object.entries(session.options.modes)) {
        const declared = (modes as { [mode: string]: string })[mode];
        demand(
          declared === protocol,
          `mode ${mode} is declared as ${show(declared)}, the kit was told ${protocol}`,
        );
      }
      demand(Number.isInteger(writers) && writers >= 1, `writers is ${writers}`);
      for (const [name, size] of Object.entries(epoch)) demand(size > 0, `epoch.${name} is ${size}`);
    },
  },
  {
    id: 'SNK-02',
    per: 'sink',
    must: 'check MUST resolve when the system can be reached and written to, as often as it is called, and MUST leave no trace.',
    fix: 'Let check() do something cheap that needs the connection and the permissions, and take back what it tried.',
    async check(session) {
      await session.withSink(async (sink, context) => {
        await soon(sink.check(context), session.patienceMs, 'check');
        await soon(sink.check(context), session.patienceMs, 'the second check');
      });
      if (session.options.read !== undefined) await demandUntouched(session, 'check');
    },
  },
  {
    id: 'SNK-03',
    per: 'sink',
    concerns: ({ options }) => options.unreachable !== undefined,
    must: 'check and attach MUST reject with a coded error of class config, auth or transient when the system cannot be reached.',
    fix: 'Catch what the driver throws and throw an error of your own family that says what failed and what to do.',
    async check(session) {
      const classes = ['config', 'auth', 'transient'] as const;
      const { patienceMs, options } = session;
      await session.withSink(async (sink, context) => {
        await soon(
          demandRefusal(sink.check(context), 'check of what cannot be reached', classes),
          patienceMs,
          'check',
        );
        const attached = await soon(
          outcome(sink.attach({ id: 'kit', source: 'kit', fence: 1n }, context)),
          patienceMs,
          'attach',
        );
        if ('error' in attached) demandCoded(attached.error, 'attach to what cannot be reached', classes);
      }, options.unreachable);
    },
  },
  {
    id: 'SNK-04',
    per: 'sink',
    must: 'identity MUST be the same text in every object, at every call, and before and after the first run.',
    fix: 'Derive it from the system itself (a system identifier, an id that is stored there), not from an address or the time.',
    async check(session) {
      const ask = () => session.withSink((sink, context) => sink.identity(context));
      const first = await ask();
      demand(typeof first === 'string' && first.trim().length > 0, `identity is ${show(first)}`);
      const again = await ask();
      await deliver(session, orders(), orderRange(0, 3));
      const after = await ask();
      demand(
        again === first && after === first,
        `identity is ${show(first)}, then ${show(again)}, and after a run ${show(after)}`,
      );
    },
  },
  {
    id: 'SNK-05',
    per: 'mode',
    must: 'plan MUST answer every stream, in order, with the same JSON plan for the same target: its stream, write mode, protocol and schema as asked.',
    fix: 'Map each SinkStream to one TablePlan; what later verbs need goes into `detail` as plain values.',
    async check(session) {
      const schemas = [orders('first'), orders('second')];
      const streams = schemas.map((schema) => session.streamOf(schema));
      const plan = () => session.withSink((sink, context) => sink.plan(throughJson(streams), context));
      const tables = await plan();
      demandJson(tables, 'the plan');
      const asked = streams.map(({ stream, write, schema }) => ({
        stream,
        write,
        schema,
        protocol: session.protocol,
      }));
      const answered = tables.map(({ stream, write, schema, protocol }) => ({
        stream,
        write,
        schema,
        protocol,
      }));
      demand(
        isDeepStrictEqual(throughJson(answered), asked),
        () => `what was asked and what is planned differ ${showDifference(asked, throughJson(answered))}`,
      );
      const again = await plan();
      demand(isDeepStrictEqual(again, tables), () => `two plans differ ${showDifference(tables, again)}`);
    },
  },
  {
    id: 'SNK-06',
    per: 'mode',
    must: 'plan MUST say how each column’s type maps onto the system’s, in order, and what is lost where the mapping is lossy.',
    fix: 'Give `types` one entry a column: `from` is formatType() of what arrives, `to` the system’s type, `note` what is lost.',
    async check(session) {
      const schema = orders();
      const table = await planOne(session, schema);
      const judged = table.types.map(({ column, from }) => ({ column, from }));
      const wanted = schema.fields.map(({ name, type }) => ({ column: name, from: formatType(type) }));
      demand(
        isDeepStrictEqual(judged, wanted),
        () => `verdicts and columns differ ${showDifference(judged, wanted)}`,
      );
      for (const { column, to, verdict, note } of table.types) {
        demand(to.length > 0, `the verdict on column ${column} names no type of the system`);
        demand(
          verdict !== 'lossy' || (note ?? '').length > 0,
          `column ${column} is lossy, and no note says what is lost`,
        );
      }
    },
  },
  {
    id: 'SNK-07',
    per: 'mode',
    reads: true,
    must: 'plan MUST change nothing.',
    fix: 'Read the targets as they are; create in applySchema() and remember in attach().',
    async check(session) {
      await demandUntouched(session, 'plan');
      const schema = orders();
      const before = [order(1), order(2)];
      const table = await deliver(session, schema, before);
      await planOne(session, { ...schema, fields: schema.fields.slice(0, 2) });
      await session.demandRows(table, before, 'rows after a plan with fewer columns');
    },
  },
  {
    id: 'SNK-08',
    per: 'sink',
    concerns: ({ options }) => WRITE_MODES.some((mode) => options.modes[mode] === undefined),
    must: 'plan MUST refuse a write mode that the sink does not have, with a coded error of class config.',
    fix: 'Look the mode up in your own capabilities and throw notSupported before anything else.',
    async check(session) {
      await session.withSink(async (sink, context) => {
        for (const write of WRITE_MODES) {
          if (sink.capabilities.modes[write] !== undefined) continue;
          const stream = session.streamOf(orders(), { write });
          await demandRefusal(sink.plan([stream], context), `planning write mode ${write}`, ['config']);
        }
      });
    },
  },
  {
    id: 'SNK-09',
    per: 'mode',
    must: 'With save mode require a missing target MUST be refused, and with fail one that is there and not this job’s.',
    fix: 'Check `SinkStream.save` against the target in plan(), or in applySchema() where only the record knows whose it is.',
    async check(session) {
      const schema = orders();
      const fresh = await planOne(session, schema);
      // A system whose targets are always there (a topic, an endpoint) has nothing to refuse.
      if (fresh.exists) return;
      await demandRefusal(beginAs(session, 'first', 'require'), 'save mode require without a target', [
        'config',
        'contract',
      ]);
      await beginAs(session, 'first', 'fail');
      await beginAs(session, 'first', 'require');
      if (withRecord(session)) await beginAs(session, 'first', 'fail');
      await demandRefusal(beginAs(session, 'second', 'fail'), 'save mode fail over another job’s target', [
        'config',
        'contract',
      ]);
    },
  },
  {
    id: 'SNK-10',
    per: 'mode',
    reads: true,
    must: 'Names of any characters MUST work or be refused by plan with a coded error; they never mean anything to the system.',
    fix: 'Quote identifiers by the system’s own rules; never paste a name into a statement or a path.',
    async check(session) {
      const bystander = await deliver(session, orders('bystander'), [order(1)]);
      const together = await demandWorksOrRefused(
        session,
        namedColumns('all', AWKWARD_NAMES),
        'columns of awkward names',
      );
      if (!together) {
        for (const [i, name] of AWKWARD_NAMES.entries()) {
          await demandWorksOrRefused(session, namedColumns(`c${i}`, [name]), `column ${show(name)}`);
        }
      }
      await demandWorksOrRefused(
        session,
        namedColumns('cases', ['name', 'NAME']),
        'columns that differ by case',
      );
      for (const name of AWKWARD_TARGETS)
        await demandWorksOrRefused(session, orders(name), `target ${show(name)}`);
      await session.demandRows(
        bystander,
        [order(1)],
        'rows of another target, after targets with awkward names',
      );
    },
  },
  {
    id: 'SNK-11',
    per: 'sink',
    must: 'Secrets of the configuration MUST NOT appear in identities, plans or error messages.',
    fix: 'Build these texts from the parts that are not secret; take user and password out of URLs first.',
    async check(session) {
      const said = [
        await session.withSink((sink, context) => sink.identity(context)),
        JSON.stringify(await planOne(session, orders())),
      ];
      const { unreachable } = session.options;
      if (unreachable !== undefined) {
        const refused = await session.withSink((sink, context) => outcome(sink.check(context)), unreachable);
        if ('error' in refused) said.push(saidBy(refused.error));
      }
      demandNoSecrets(session, said);
    },
  },
];

const AWKWARD_TARGETS = ['select', 'Two Words', 'Größe 日本', 'a"b\'c`d', 'a;b--c', 'a.b', '$1 %s {x} x]'];

const AWKWARD_NAMES = [
  'select',
  'Two Words',
  'MiXeD',
  'Größe',
  '日本',
  'a"b',
  "a'b",
  'a`b',
  'a;b--',
  'a.b',
  '$1',
  '%s',
  '{x}',
  'x]',
];

async function planOne(session: SinkSession, schema: StreamSchema) {
  const streams = [session.streamOf(schema)];
  const [table] = await session.withSink((sink, context) => sink.plan(streams, context));
  demand(table !== undefined, 'plan answers nothing');
  return throughJson(table);
}

/** Plans twice, and looks whether anything is there. */
async function demandUntouched(session: SinkSession, what: string): Promise<void> {
  const first = await planOne(session, orders());
  const second = await planOne(session, orders());
  demand(first.exists === second.exists, `after ${what} the target is there, before it was not`);
  await session.demandRows(second, [], `rows after ${what}`);
  if (!withRecord(session)) return;
  const { record } = await session.run();
  demand(record === undefined, () => `after ${what} the sink remembers a job: ${show(record?.source)}`);
  await session.crash();
}

async function beginAs(session: SinkSession, job: string, save: 'require' | 'fail'): Promise<void> {
  const schema = orders();
  try {
    const run = await session.run({ job });
    const table = await run.plan(schema, { save });
    await run.adopt(schema.stream, 1, []);
    await run.applySchema(table, 1);
    if (session.usesGenerations) await run.publish(table, 1, true);
  } finally {
    await session.crash();
  }
}

function namedColumns(stream: string, names: readonly string[]): StreamSchema {
  const columns = names.map((name) => ({ name, type: types.string, nullable: true }));
  return streamSchema(stream, [{ name: 'id', type: types.int64, nullable: false }, ...columns], ['id']);
}

/** Whether the schema could be planned; rows of it are then stored and read back. */
async function demandWorksOrRefused(
  session: SinkSession,
  schema: StreamSchema,
  what: string,
): Promise<boolean> {
  const planned = await outcome(planOne(session, schema));
  if ('error' in planned) {
    demandCoded(planned.error, `planning ${what}`, ['config', 'contract']);
    return false;
  }
  const named = schema.fields.map(({ name, type }) => [name, type.kind === 'string' ? `in ${name}` : null]);
  const row: Row = { ...Object.fromEntries(named), id: 1n };
  const table = await deliver(session, schema, [row]);
  await session.demandRows(table, [row], what);
  return true;
}
