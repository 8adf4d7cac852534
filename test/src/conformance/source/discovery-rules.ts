/** Rules of a source's first verbs: check, identity, discover. */
import { isDeepStrictEqual } from 'node:util';
import {
  type Catalog,
  type CatalogStream,
  type Field,
  formatType,
  type LogicalType,
  type StreamSchema,
} from '@sluice/sdk';
import { demandCoded, demandRefusal } from '../coded-error.js';
import { demandFindings } from '../demand-findings.js';
import { demandJson } from '../json-trip.js';
import { demandNoSecrets, saidBy } from '../no-secrets.js';
import { outcome, soon } from '../patience.js';
import { demand } from '../rule.js';
import { show, showDifference } from '../show.js';
import type { SourceRule } from './source-rule.js';

export const discoveryRules: readonly SourceRule[] = [
  {
    id: 'SRC-01',
    per: 'source',
    must: 'A source MUST declare the same capabilities in every object, and among them the modes that it is used in.',
    fix: 'Make `capabilities` a constant of the configuration, and list every read mode that works.',
    async check(session) {
      const { capabilities } = session.connect();
      const { modes, replay = true } = session.options;
      demandJson(capabilities, 'capabilities');
      demand(
        isDeepStrictEqual(capabilities, session.connect().capabilities),
        'two objects declare different capabilities',
      );
      for (const mode of modes)
        demand(capabilities.modes.includes(mode), `mode ${mode} is not among ${show(capabilities.modes)}`);
      demand(capabilities.replay === replay, `replay is ${capabilities.replay}, the kit was told ${replay}`);
    },
  },
  {
    id: 'SRC-02',
    per: 'source',
    must: 'check MUST resolve when the system can be reached and read, as often as it is called.',
    fix: 'Let check() do something cheap that needs the connection and the permissions, and release what it opened.',
    async check(session) {
      const source = session.connect();
      await soon(source.check(session.context), session.patienceMs, 'check');
      await soon(source.check(session.context), session.patienceMs, 'the second check');
    },
  },
  {
    id: 'SRC-03',
    per: 'source',
    concerns: ({ unreachable }) => unreachable !== undefined,
    must: 'check and discover MUST reject with a coded error of class config, auth or transient when the system cannot be reached.',
    fix: 'Catch what the driver throws and throw an error of your own family that says what failed and what to do.',
    async check(session) {
      const source = session.connectTo(session.options.unreachable!);
      const classes = ['config', 'auth', 'transient'] as const;
      const { context, patienceMs } = session;
      await soon(
        demandRefusal(source.check(context), 'check of what cannot be reached', classes),
        patienceMs,
        'check',
      );
      const found = await soon(outcome(source.discover(undefined, context)), patienceMs, 'discover');
      if ('error' in found) demandCoded(found.error, 'discover of what cannot be reached', classes);
      else demand(found.value.streams.length === 0, 'discover finds streams in what cannot be reached');
    },
  },
  {
    id: 'SRC-04',
    per: 'source',
    must: 'identity MUST be the same text in every object and at every call.',
    fix: 'Derive it from the system itself (a system identifier, an id that is stored there), not from an address or the time.',
    async check(session) {
      const source = session.connect();
      const first = await source.identity(session.context);
      demand(typeof first === 'string' && first.trim().length > 0, `identity is ${show(first)}`);
      const again = [
        await source.identity(session.context),
        await session.connect().identity(session.context),
      ];
      demand(
        again.every((text) => text === first),
        `identity is ${[first, ...again].map(show).join(', then ')}`,
      );
    },
  },
  {
    id: 'SRC-05',
    per: 'source',
    must: 'discover MUST find the same streams in the same order with the same schemas as long as the system does not change.',
    fix: 'Sort what the system lists, and infer types from the same sample each time.',
    async check(session) {
      const first = steady(await session.connect().discover(undefined, session.context));
      const second = steady(await session.connect().discover(undefined, session.context));
      demand(
        isDeepStrictEqual(first, second),
        () => `two discoveries differ ${showDifference(first, second)}`,
      );
    },
  },
  {
    id: 'SRC-06',
    per: 'source',
    must: 'discover MUST find exactly the streams that match one of the patterns, where * stands for any run of characters.',
    fix: 'Filter names with matchesPattern() of the SDK; a pattern that matches nothing yields no stream and no error.',
    async check(session) {
      const names = namesOf(await session.catalog());
      const source = session.connect();
      const found = async (...patterns: string[]) =>
        namesOf(await source.discover(patterns, session.context));
      for (const name of names) demandNames(await found(name), [name], `pattern ${show(name)}`);
      const [first] = names as [string];
      const prefix = first.slice(0, Math.ceil(first.length / 2));
      const all = namesOf(await source.discover(undefined, session.context));
      demandNames(await found('*'), all, 'pattern "*"');
      demandNames(
        await found(`${prefix}*`),
        all.filter((name) => name.startsWith(prefix)),
        `pattern ${show(`${prefix}*`)}`,
      );
      demandNames(await found(`${first}_no_such_stream`, 'no*such*stream'), [], 'patterns of no stream');
    },
  },
  {
    id: 'SRC-07',
    per: 'source',
    must: 'A catalog MUST have unique streams of version 1 with unique, named columns of well-formed types, and key columns among them that are not nullable.',
    fix: 'Look at the schema that the message names; a key that may hold nulls is no key, so leave `key` empty.',
    async check(session) {
      const { streams } = await session.catalog();
      demandNamed(
        streams.map(({ schema }) => schema.stream),
        'streams',
      );
      for (const { schema } of streams) demandSaneSchema(schema);
    },
  },
  {
    id: 'SRC-08',
    per: 'source',
    must: 'A catalog MUST say how each column’s native type maps, in order, and what is lost where the mapping is lossy.',
    fix: 'Give `types` one entry a column: `to` is formatType() of the column’s type, `note` says what is lost.',
    async check(session) {
      for (const stream of (await session.catalog()).streams) demandVerdicts(stream);
    },
  },
  {
    id: 'SRC-09',
    per: 'source',
    must: 'A catalog MUST be JSON.',
    fix: 'Use plain objects, arrays, texts and numbers; no bigint, Date, Map or class.',
    async check(session) {
      for (const { problem: _, ...stream } of (await session.catalog()).streams) {
        demandJson(stream, `stream ${stream.schema.stream} of the catalog`);
      }
    },
  },
  {
    id: 'SRC-10',
    per: 'source',
    must: 'Secrets of the configuration MUST NOT appear in identities, catalogs, splits or error messages.',
    fix: 'Build these texts from the parts that are not secret; take user and password out of URLs first.',
    async check(session) {
      const said: string[] = [
        await session.connect().identity(session.context),
        JSON.stringify(await session.catalog()),
      ];
      for (const { split } of await session.plan()) said.push(JSON.stringify(split));
      const { unreachable } = session.options;
      if (unreachable !== undefined) {
        const refused = await outcome(session.connectTo(unreachable).check(session.context));
        if ('error' in refused) said.push(saidBy(refused.error));
      }
      demandNoSecrets(session, said);
    },
  },
  {
    id: 'SRC-44',
    per: 'mode',
    must: 'diagnose, where there is one, MUST answer findings of one line each, none a failure where reading works, and say no secret.',
    fix: 'A finding has a level and `what`; a failure also the `class` of its error and a `fix`: what a person types.',
    async check(session) {
      const source = session.connect();
      const streams = (await session.reads()).map(({ stream, mode }) => ({ stream, mode }));
      for (const asked of [streams, []]) {
        const findings = await source.diagnose?.(asked, session.context);
        if (findings !== undefined) demandFindings(session, findings);
      }
    },
  },
];

function namesOf({ streams }: Catalog): string[] {
  return streams.map(({ schema }) => schema.stream);
}

function demandNames(found: readonly string[], wanted: readonly string[], what: string): void {
  const same = isDeepStrictEqual([...found].sort(), [...wanted].sort());
  demand(same, () => `${what} finds ${show(found)}, ${show(wanted)} match`);
}

/** What does not change by itself: sizes are estimates. */
function steady({ streams }: Catalog) {
  return streams.map(({ schema, types, encodings }) => ({ schema, types, encodings }));
}

function demandNamed(names: readonly string[], what: string): void {
  demand(!names.includes(''), `${what}: one has no name`);
  demandUnique(names, what);
}

function demandUnique(names: readonly string[], what: string): void {
  for (const [i, name] of names.entries()) {
    demand(names.indexOf(name) === i, `${what}: ${show(name)} is there twice`);
  }
}

function demandSaneSchema({ stream, version, fields, key }: StreamSchema): void {
  demand(version === 1, `stream ${stream} has version ${version}`);
  demand(fields.length > 0, `stream ${stream} has no columns`);
  demandNamed(
    fields.map(({ name }) => name),
    `columns of stream ${stream}`,
  );
  demandUnique(key, `key columns of stream ${stream}`);
  for (const name of key) {
    const column = fields.find((f) => f.name === name);
    demand(column !== undefined, `stream ${stream}: key column ${name} is no column`);
    demand(!column.nullable, `stream ${stream}: key column ${name} is nullable`);
  }
  for (const f of fields) demandSaneType(f.type, `column ${f.name} of stream ${stream}`);
}

function demandSaneType(type: LogicalType, what: string): void {
  switch (type.kind) {
    case 'decimal': {
      const { precision, scale } = type;
      demand(
        (precision === undefined) === (scale === undefined),
        `${what}: precision and scale come together`,
      );
      if (precision === undefined || scale === undefined) return;
      demand(Number.isInteger(precision) && precision > 0, `${what}: precision ${precision}`);
      demand(
        Number.isInteger(scale) && scale >= 0 && scale <= precision,
        `${what}: scale ${scale} of precision ${precision}`,
      );
      return;
    }
    case 'enum':
      demandUnique(type.values, `${what}: labels`);
      return;
    case 'list':
      return demandSaneType(type.item.type, `${what}, item`);
    case 'struct':
    case 'union': {
      const members: readonly Field[] = type.kind === 'struct' ? type.fields : type.variants;
      demandNamed(
        members.map(({ name }) => name),
        `${what}: members`,
      );
      for (const member of members) demandSaneType(member.type, `${what}, member ${member.name}`);
      return;
    }
    case 'map':
      demand(!type.key.nullable, `${what}: keys of a map are not nullable`);
      demandSaneType(type.key.type, `${what}, key`);
      demandSaneType(type.value.type, `${what}, value`);
  }
}

function demandVerdicts({ schema, types }: CatalogStream): void {
  const columns = schema.fields.map(({ name }) => name);
  const judged = types.map(({ column }) => column);
  demand(
    isDeepStrictEqual(judged, columns),
    () => `stream ${schema.stream} has columns ${show(columns)}, verdicts on ${show(judged)}`,
  );
  for (const [i, { column, from, to, verdict, note }] of types.entries()) {
    const type = formatType(schema.fields[i]!.type);
    demand(to === type, `column ${column} of ${schema.stream} has type ${type}, its verdict says ${to}`);
    demand(from.length > 0, `the verdict on column ${column} of ${schema.stream} names no native type`);
    demand(
      verdict !== 'lossy' || (note ?? '').length > 0,
      `column ${column} of ${schema.stream} is lossy, and no note says what is lost`,
    );
  }
}
