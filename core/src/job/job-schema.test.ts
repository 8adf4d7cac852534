/** The schema, the types of `defineJob` and the JSON Schema agree. */
import {
  type Connector,
  defineConnector,
  defineJob,
  type FlowSpec,
  type JsonObject,
  type LongJob,
  type ShortJob,
  type SinkSpec,
  type SinkStreamSpec,
  type StreamSpec,
  secret,
} from '@sluice/sdk';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { jobSchema } from './job-json-schema.js';
import { type LongJobInput, longJobSchema, type ShortJobInput, shortJobSchema } from './job-schema.js';

type Keys<T> = keyof { [K in keyof T as string extends K ? never : K]: T[K] };
type FlowInput = LongJobInput['flows'][string];
type SinkInput = FlowInput['sinks'][string];
type StreamInput = Exclude<Exclude<NonNullable<FlowInput['streams']>, string[]>[string], false>;

it('has the keys and types that defineJob offers', () => {
  expectTypeOf<LongJob>().toExtend<LongJobInput>();
  expectTypeOf<ShortJob>().toExtend<ShortJobInput>();
  expectTypeOf<Keys<LongJobInput>>().toEqualTypeOf<keyof LongJob>();
  expectTypeOf<Keys<ShortJobInput>>().toEqualTypeOf<keyof ShortJob>();
  expectTypeOf<Keys<FlowInput>>().toEqualTypeOf<keyof FlowSpec>();
  expectTypeOf<Keys<SinkInput>>().toEqualTypeOf<keyof SinkSpec>();
  expectTypeOf<Keys<NonNullable<SinkInput['streams']>[string]>>().toEqualTypeOf<keyof SinkStreamSpec>();
  expectTypeOf<Keys<StreamInput>>().toEqualTypeOf<keyof StreamSpec>();
  expectTypeOf<LongJobInput['delivery']>().toEqualTypeOf<LongJob['delivery']>();
  expectTypeOf<LongJobInput['types']>().toEqualTypeOf<LongJob['types']>();
  expectTypeOf<StreamInput['cursor']>().toEqualTypeOf<StreamSpec['cursor']>();
  expectTypeOf<StreamInput['columns']>().toEqualTypeOf<StreamSpec['columns']>();
});

const postgres: Connector = defineConnector({
  name: 'postgres',
  title: 'PostgreSQL',
  config: z.object({
    url: secret().describe('Where the server is.'),
    port: z.int().default(5432).describe('Its port.'),
    tls: z.boolean().optional(),
    type: z.enum(['a', 'b']).optional(),
    default: z.string().optional(),
    enum: z.object({ properties: z.number().optional() }).optional(),
  }),
});
const duckdb: Connector = defineConnector({
  name: 'duckdb',
  title: 'DuckDB',
  config: z.strictObject({ path: z.string() }),
});

const jobs = {
  short: defineJob({
    name: 'j',
    source: { connector: 'postgres', url: 'postgres://h', port: '${env:PORT}' },
    streams: { 'public.*': { mode: 'incremental', cursor: { column: 'at' } }, 'tmp.*': false },
    transforms: [{ use: 'mask', columns: { email: 'hmac' } }],
    sink: { connector: 'duckdb', path: 'lake.duckdb' },
    write: 'upsert',
    memory: '50%',
    rate: { rows: '5000/s', bytes: '10MiB/s' },
  }),
  long: defineJob({
    version: 1,
    name: 'j',
    connections: {
      shop: { connector: 'postgres', url: 'x' },
      lake: { connector: './mine', any: { key: [1] } },
    },
    flows: {
      main: {
        source: 'shop',
        streams: ['a'],
        sinks: { lake: { to: 'lake', name: '{stream}', streams: { a: { options: { x: 1 } } } } },
      },
    },
    delivery: {
      require: 'exactly-once',
      commit: { every: '1s', rows: 10, bytes: '1MB' },
      except: ['main.lake'],
    },
  }),
};

function withConnection(job: { [key: string]: never }, connection: object): object {
  return 'connections' in job
    ? { ...job, connections: { ...(job['connections'] as object), shop: connection } }
    : { ...job, source: connection };
}

/** Changes that make a job wrong, and that an editor should underline. */
const mistakes: { readonly [name: string]: (job: { [key: string]: never }) => unknown } = {
  'a misspelt key': (job) => ({ ...job, nmae: 'x' }),
  'no name': ({ name: _, ...job }) => job,
  'a wrong choice': (job) => ({ ...job, types: { lossy: 'maybe' } }),
  'a wrong number': (job) => ({ ...job, parallel: 'many' }),
  'a version to come': (job) => ({ ...job, version: 2 }),
  'a missing key of a connector': (job) => withConnection(job, { connector: 'postgres' }),
  'a misspelt key of a connector': (job) => withConnection(job, { connector: 'duckdb', path: 'x', pth: 'y' }),
  'a key of a feature to come': (job) => ({ ...job, schedule: '5m' }),
};

it('is described by a JSON Schema that takes good jobs and refuses bad ones', () => {
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    keywords: ['secret'],
  });
  const check = ajv.compile(jobSchema([postgres, duckdb]));
  for (const [form, job] of Object.entries(jobs)) {
    expect(z.safeParse(form === 'long' ? longJobSchema : shortJobSchema, job).success, form).toBe(true);
    expect(check(job), `${form}: ${JSON.stringify(check.errors)}`).toBe(true);
    for (const [name, mistake] of Object.entries(mistakes))
      expect(check(mistake(job as never)), `${form}: ${name}`).toBe(false);
  }
});

it('describes every key, and the keys of the connectors that it is given', () => {
  const schema = jobSchema([postgres, duckdb]) as { [key: string]: never };
  const undescribed: string[] = [];
  const walk = (node: JsonObject, path: string): void => {
    for (const [name, member] of Object.entries(
      (node['properties'] ?? {}) as { [name: string]: JsonObject },
    )) {
      if (member['description'] === undefined) undescribed.push(`${path}.${name}`);
      walk(member, `${path}.${name}`);
    }
  };
  walk(schema['then']!, 'long');
  walk(schema['else']!, 'short');
  expect(undescribed).toEqual([]);
  const { connection } = schema['$defs'] as unknown as { connection: { allOf: { then: JsonObject }[] } };
  expect(connection.allOf[0]!.then).toEqual({
    type: 'object',
    properties: {
      connector: true,
      url: { type: 'string', description: 'Where the server is.', secret: true, writeOnly: true },
      port: {
        description: 'Its port.',
        default: 5432,
        anyOf: [
          { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
          { $ref: '#/$defs/reference' },
        ],
      },
      tls: { anyOf: [{ type: 'boolean' }, { $ref: '#/$defs/reference' }] },
      type: { anyOf: [{ type: 'string', enum: ['a', 'b'] }, { $ref: '#/$defs/reference' }] },
      default: { type: 'string' },
      enum: {
        type: 'object',
        properties: { properties: { anyOf: [{ type: 'number' }, { $ref: '#/$defs/reference' }] } },
      },
    },
    required: ['url'],
    additionalProperties: false,
  });
});
