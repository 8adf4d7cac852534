/** Sources that are declared or discovered wrongly. */
import { type Catalog, type Context, defineErrors, type Finding } from '@sluice/sdk';
import { z } from 'zod';
import { type BrokenSource, broken, declared, leak } from './broken-source.js';
import { MemorySource, type MemorySourceConfig, memorySourceConfig } from './memory-source.js';

let counter = 0;

export const brokenDeclarations: readonly BrokenSource[] = [
  declared('CON-01', 'has a name that job files cannot have', { name: 'Memory Source' }),
  declared('CON-02', 'takes any key', { config: z.object(memorySourceConfig.shape) }),
  declared('CON-03', 'has a key that nothing describes', {
    config: z.strictObject({ ...memorySourceConfig.shape, place: z.string() }),
  }),
  declared('CON-04', 'takes its token as plain text', {
    config: z.strictObject({ ...memorySourceConfig.shape, token: z.string().describe('Opens the place') }),
  }),
  broken(
    'CON-05',
    'starts a timer when it is made',
    class extends MemorySource {
      constructor(config: MemorySourceConfig) {
        super(config);
        leak();
      }
    },
  ),
  declared('CON-06', 'declares an error without help', {
    errors: defineErrors('MEMORY', {
      lost: { number: 1, class: 'data', title: 'Something is lost', help: '' },
    }),
  }),
];

export const brokenDiscovery: readonly BrokenSource[] = [
  broken(
    'SRC-01',
    'declares one mode and is used in two',
    class extends MemorySource {
      override capabilities = {
        replay: true,
        modes: ['full'] as const,
        incremental: 'none' as const,
        before: false,
      };
    },
  ),
  broken(
    'SRC-02',
    'can be checked once',
    class extends MemorySource {
      private checked = false;
      override async check(): Promise<void> {
        if (this.checked) throw new Error('the connection is in use');
        this.checked = true;
      }
    },
  ),
  broken(
    'SRC-03',
    'lets the driver’s own error out',
    class extends MemorySource {
      override async check(c: Context): Promise<void> {
        await super.check(c).catch(() => Promise.reject(new Error('ECONNREFUSED')));
      }
    },
  ),
  broken(
    'SRC-03',
    'finds everything well without looking',
    class extends MemorySource {
      override async check(): Promise<void> {}
    },
  ),
  broken(
    'SRC-04',
    'is another system each time',
    class extends MemorySource {
      override async identity(): Promise<string> {
        return `memory:${++counter}`;
      }
    },
  ),
  broken(
    'SRC-05',
    'lists streams in any order',
    class extends MemorySource {
      override async discover(patterns: readonly string[] | undefined, c: Context): Promise<Catalog> {
        const { streams } = await super.discover(patterns, c);
        return { streams: ++counter % 2 === 0 ? [...streams].reverse() : streams };
      }
    },
  ),
  broken(
    'SRC-06',
    'takes a name for a prefix',
    class extends MemorySource {
      override async discover(patterns: readonly string[] | undefined, c: Context): Promise<Catalog> {
        return super.discover(
          patterns?.map((pattern) => `${pattern.slice(0, 3)}*`),
          c,
        );
      }
    },
  ),
  changedCatalog('SRC-07', 'has a key that may be null', (stream) => ({
    ...stream,
    schema: { ...stream.schema, key: [stream.schema.fields.at(-1)!.name] },
  })),
  changedCatalog('SRC-07', 'has a column twice', (stream) => ({
    ...stream,
    schema: { ...stream.schema, fields: [...stream.schema.fields, stream.schema.fields[0]!] },
    types: [...stream.types, stream.types[0]!],
  })),
  changedCatalog('SRC-08', 'says nothing of its last column', (stream) => ({
    ...stream,
    types: stream.types.slice(0, -1),
  })),
  changedCatalog('SRC-08', 'does not say what is lost', (stream) => ({
    ...stream,
    types: stream.types.map((verdict) => ({ ...verdict, verdict: 'lossy' as const })),
  })),
  changedCatalog('SRC-09', 'estimates no number', (stream) => ({ ...stream, estimatedRows: Number.NaN })),
  broken(
    'SRC-10',
    'has its token in its identity',
    class extends MemorySource {
      override async identity(): Promise<string> {
        return `memory://${this.config.token}@${this.config.place}`;
      }
    },
  ),
  broken(
    'SRC-44',
    'finds fault with what works',
    class extends MemorySource {
      async diagnose(): Promise<Finding[]> {
        return [{ level: 'fail', what: 'SELECT is missing', fix: 'GRANT SELECT ON orders;', class: 'auth' }];
      }
    },
  ),
  broken(
    'SRC-44',
    'warns in several lines',
    class extends MemorySource {
      async diagnose(): Promise<Finding[]> {
        return [{ level: 'warn', what: 'few rows\nare there' }];
      }
    },
  ),
];

function changedCatalog(
  rule: string,
  what: string,
  change: (stream: Catalog['streams'][number]) => Catalog['streams'][number],
): BrokenSource {
  return broken(
    rule,
    what,
    class extends MemorySource {
      override async discover(patterns: readonly string[] | undefined, c: Context): Promise<Catalog> {
        return { streams: (await super.discover(patterns, c)).streams.map(change) };
      }
    },
  );
}
