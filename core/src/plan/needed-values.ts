/** Values that changes may come without, and transforms that need them: found out before anything runs. */
import type {
  BoundTransform,
  CatalogStream,
  Field,
  ReadMode,
  SourceCapabilities,
  StreamSchema,
} from '@sluice/sdk';
import { coreErrors } from '../errors.js';

/**
 * The schema with what changes may come without. Of a row before its change the source's own key is always known. Throws
 * `SLUICE-CORE-0016` where the job wants another key, by which changed rows could not be found.
 */
export function changeSchema(
  schema: StreamSchema,
  { schema: { key }, unchanged = [], before }: CatalogStream,
  mode: ReadMode,
  capabilities: SourceCapabilities,
): StreamSchema {
  if (mode !== 'cdc' || (before ?? capabilities.before)) return schema;
  const fields = schema.fields.map((f): Field => {
    if (key.includes(f.name)) return f;
    return { ...f, unsent: unchanged.includes(f.name) ? 'both' : 'before' };
  });
  requireValues('key', { ...schema, fields }, { before: schema.key });
  return { ...schema, fields };
}

/** Throws `SLUICE-CORE-0016` when changes may come without a value that `who` needs. */
export function requireValues(
  who: string,
  { stream, fields }: StreamSchema,
  { after = [], before = [] }: NonNullable<BoundTransform['needs']>,
): void {
  const unsent = new Map(fields.map((f) => [f.name, f.unsent]));
  const unknown = after.find((name) => unsent.get(name) === 'both');
  if (unknown !== undefined) {
    throw coreErrors.valueUnsent(
      `${who}: changes of ${stream} may come without "${unknown}", and without the row as it was before`,
      { details: { stream, column: unknown } },
    );
  }
  const forgotten = before.find((name) => unsent.get(name) !== undefined);
  if (forgotten !== undefined) {
    throw coreErrors.valueUnsent(
      `${who}: changes of ${stream} do not tell which "${forgotten}" the row had before`,
      { details: { stream, column: forgotten } },
    );
  }
}
