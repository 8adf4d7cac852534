/** Exported state: what it looks like, and how one is read that may come from anywhere. */
import type { LogicalType } from '@sluice/sdk';
import { z } from 'zod';
import { coreErrors } from '../errors.js';
import type { FlowState } from '../ledger/ledger.js';

export const STATE_FORMAT = 'sluice-state';

/** The state of a job, to be kept, compared, or taken to another ledger. */
export interface StateDocument {
  readonly format: typeof STATE_FORMAT;
  readonly version: 1;
  readonly job: string;
  /** ISO 8601, in UTC. */
  readonly exportedAt: string;
  readonly flows: { readonly [flow: string]: FlowState };
}

const count = z.number().int().nonnegative();
const json = z.json();

const prepared = z.strictObject({
  epoch: count,
  position: json,
  sealed: z.boolean(),
  token: z.record(z.string(), json),
});

const position = z.strictObject({
  generation: count,
  epoch: count,
  position: json,
  sealed: z.boolean(),
  prepared: prepared.optional(),
});

const split = z.strictObject({
  id: z.string(),
  streams: z.array(z.string()).min(1),
  phase: z.enum(['bulk', 'log', 'poll']),
  start: json,
  spec: json,
  volatile: z.boolean().optional(),
  estimatedRows: z.number().optional(),
  estimatedBytes: z.number().optional(),
});

const field = z.looseObject({
  name: z.string(),
  type: z.looseObject({ kind: z.string() }).transform((type) => type as unknown as LogicalType),
  nullable: z.boolean(),
});

const schema = z.strictObject({
  stream: z.string(),
  version: count,
  fields: z.array(field),
  key: z.array(z.string()),
  mark: z.json().optional(),
  filled: z.array(z.string()).optional(),
});

const quarantined = z.strictObject({
  at: count,
  error: z.strictObject({
    code: z.string(),
    class: z.enum(['config', 'auth', 'contract', 'data', 'transient', 'throttled', 'internal']),
    message: z.string(),
    help: z.string(),
    details: z.record(z.string(), json),
  }),
});

const flow = z.strictObject({
  streams: z.record(
    z.string(),
    z.strictObject({
      generation: count,
      planned: z.boolean(),
      schema: schema.optional(),
      quarantined: quarantined.optional(),
    }),
  ),
  splits: z.record(z.string(), z.strictObject({ split, generation: count })),
  sinks: z.record(
    z.string(),
    z.strictObject({
      source: z.string(),
      target: z.string(),
      published: z.record(z.string(), z.strictObject({ generation: count, run: z.string() })),
      positions: z.record(z.string(), position),
    }),
  ),
});

const document = z.strictObject({
  format: z.literal(STATE_FORMAT),
  version: z.literal(1),
  job: z.string(),
  exportedAt: z.string(),
  flows: z.record(z.string(), flow),
});

/** Throws `SLUICE-CORE-0133` for anything but a whole document of a known version. */
export function readStateDocument(value: unknown): StateDocument {
  const read = document.safeParse(value);
  if (read.success) return read.data as unknown as StateDocument;
  const [issue] = read.error.issues;
  throw coreErrors.stateDocumentInvalid(`${issue!.path.join('.') || 'the document'}: ${issue!.message}`);
}
