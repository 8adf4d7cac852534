/** Rules of what a transform declares, and of binding it to a stream. */
import type { BoundTransform, JsonObject, StreamSchema } from '@sluice/sdk';
import { types } from '@sluice/sdk';
import { demandCoded } from '../coded-error.js';
import {
  demandDescribed,
  demandErrorsDeclared,
  demandNamed,
  demandSecretsMarked,
  demandStrict,
} from '../declarations.js';
import { demandJson } from '../json-trip.js';
import { demandKept, saidBy, secretsOf } from '../no-secrets.js';
import { outcome } from '../patience.js';
import { demand } from '../rule.js';
import { show, showDifference } from '../show.js';
import type { TransformRule } from './transform-rule.js';
import type { TransformSession } from './transform-subject.js';

export const bindRules: readonly TransformRule[] = [
  {
    id: 'TRF-01',
    must: 'A transform MUST have a name in lower case with hyphens and a title of one line.',
    fix: 'Set `name` (as in job files) and `title` (as in lists) of the transform.',
    async check({ transform }) {
      demandNamed(transform);
    },
  },
  {
    id: 'TRF-02',
    must: 'The schema of options MUST refuse keys that it does not have.',
    fix: 'Declare objects with z.strictObject(), so that a misspelt key is an error instead of being ignored.',
    async check(session) {
      demandStrict(optionsOf(session));
    },
  },
  {
    id: 'TRF-03',
    must: 'Every key of the options MUST have a description, and one that holds a secret MUST be made with secret().',
    fix: 'Add .describe() to the key, which the reference pages show; use secret() of the SDK for what is redacted.',
    async check(session) {
      demandDescribed(optionsOf(session));
      demandSecretsMarked(optionsOf(session));
    },
  },
  {
    id: 'TRF-04',
    must: 'Every error that a transform declares MUST have a code of its own, a title and a help that says what to do.',
    fix: 'Declare errors with defineErrors() and export them as `errors` of the transform.',
    async check({ transform }) {
      demandErrorsDeclared(transform.errors);
    },
  },
  {
    id: 'TRF-05',
    must: 'Binding with the same options, which are JSON, MUST promise the same each time: schema, routes, reads, writes, needs and rung.',
    fix: 'Let the promise follow from schema and options alone, and keep nothing from one binding to the next.',
    async check(session) {
      demandJson(session.given.options, 'what is given as options');
      const first = promiseOf(await session.bind());
      demandJson(first, 'the promise of bind');
      const again = promiseOf(await session.bind());
      demand(
        JSON.stringify(again) === JSON.stringify(first),
        () => `bind promised something else the second time, ${showDifference(first, again)}`,
      );
    },
  },
  {
    id: 'TRF-06',
    must: 'bind MUST NOT change the schema or the options that it is given.',
    fix: 'Copy what is to be changed: { ...schema, fields: [...] }.',
    async check(session) {
      const options: unknown = session.transform.options.parse(session.given.options);
      const schema = structuredClone(session.schema);
      const given = structuredClone(options);
      await session.transform.bind(schema, options, { cwd: session.given.cwd ?? process.cwd() });
      demandUntouched('schema', schema, session.schema);
      demandUntouched('options', options, given);
    },
  },
  {
    id: 'TRF-07',
    must: 'The schema of what comes out MUST be of the same stream, with unique columns and its key among them; reads and needs MUST name columns of the input, writes columns of the output.',
    fix: 'Make `out` from the given schema, and look at the lists again: they are names, of the side that each is about.',
    async check(session) {
      const { schema } = session;
      const { out, reads, writes, needs = {} } = await session.bind();
      demand(out.stream === schema.stream, `the stream is ${show(out.stream)}, not ${show(schema.stream)}`);
      demand(out.version === schema.version, `the version is ${out.version}, not ${schema.version}`);
      const [given, made] = [schema, out].map(({ fields }) => fields.map(({ name }) => name)) as [
        string[],
        string[],
      ];
      demand(made.length > 0 && made.every((name) => name !== ''), `the columns are ${show(made)}`);
      demand(new Set(made).size === made.length, `a column is there twice: ${show(made)}`);
      demandAmong('key', out.key, made, 'the output');
      demandAmong('reads', reads, given, 'the input');
      demandAmong('needs', [...(needs.after ?? []), ...(needs.before ?? [])], given, 'the input');
      demandAmong('writes', writes, made, 'the output');
    },
  },
  {
    id: 'TRF-08',
    must: 'bind MUST refuse what cannot be done with a coded error of class config that says no secret.',
    fix: 'Look names and types up in the schema, and throw an error that defineErrors() made where one is missing.',
    async check(session) {
      const { given, schema } = session;
      for (const options of given.refuses ?? []) {
        const parsed = session.transform.options.safeParse(options);
        if (!parsed.success) continue;
        const bound = await demandWorksOrRefused(session, schema, options);
        demand(bound === undefined, `the options ${show(options)} were taken`);
      }
      for (const other of otherSchemas(schema)) await demandWorksOrRefused(session, other, given.options);
    },
  },
];

function optionsOf({ transform, given }: TransformSession) {
  return { what: 'options', schema: transform.options, example: given.options };
}

function promiseOf({ apply: _, ...promise }: BoundTransform) {
  return promise;
}

function demandUntouched(what: string, now: unknown, before: unknown): void {
  demand(
    JSON.stringify(now) === JSON.stringify(before),
    () => `bind changed the ${what}, ${showDifference(before, now)}`,
  );
}

function demandAmong(what: string, names: readonly string[], of: readonly string[], side: string): void {
  const strange = names.find((name) => !of.includes(name));
  demand(strange === undefined, `${what} names ${show(strange)}, which is no column of ${side}`);
}

/** The stream without one of its columns, and with one of a type of which little is known. */
function otherSchemas(schema: StreamSchema): StreamSchema[] {
  const { fields, key } = schema;
  return fields.flatMap(({ name }) => {
    const without = { fields: fields.filter((f) => f.name !== name), key: key.filter((k) => k !== name) };
    const native = fields.map((f) => (f.name === name ? { ...f, type: types.native('point') } : f));
    return [
      { ...schema, ...without },
      { ...schema, fields: native },
    ];
  });
}

async function demandWorksOrRefused(
  session: TransformSession,
  schema: StreamSchema,
  options: JsonObject,
): Promise<BoundTransform | undefined> {
  const ended = await outcome(session.bind(schema, options));
  if ('value' in ended) return ended.value;
  const what = `binding ${show(options)} to ${show(schema.fields.map(({ name, type }) => `${name} ${type.kind}`))}`;
  const error = demandCoded(ended.error, what, ['config']);
  demandKept(secretsOf(session.transform.options, options), [saidBy(error)]);
  return undefined;
}
