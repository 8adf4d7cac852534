/** Keys of a memory sink's connection, its modes, and the names under which it keeps things. */
import { type Protocol, secret, type Token, type WriteMode } from '@sluice/sdk';
import { z } from 'zod';

export const memorySinkConfig = z.strictObject({
  place: z.string().describe('Name of the place in memory'),
  token: secret().optional().describe('Opens the place'),
  protocol: z.enum(['atomic', 'two-phase', 'keyed', 'append']).describe('How epochs are committed'),
});
export type MemorySinkConfig = z.output<typeof memorySinkConfig>;

/** The write modes of the sink with each protocol. */
export const memoryModes = {
  atomic: { append: 'atomic', upsert: 'atomic', replace: 'atomic', mirror: 'atomic' },
  'two-phase': { append: 'two-phase', upsert: 'two-phase', replace: 'two-phase' },
  keyed: { upsert: 'keyed' },
  append: { append: 'append', replace: 'append' },
} as const satisfies { [P in Protocol]: { [M in WriteMode]?: P } };

export function stagingName(job: string, stream: string, generation?: number): string {
  return `${job}/${stream}@${generation ?? ''}`;
}

export function tokenName(token: Token): string {
  return JSON.stringify(Object.entries(token).sort());
}
