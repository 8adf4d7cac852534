/** Configuration values that must never be printed. */
import { z } from 'zod';

/** A string that is redacted wherever it could be printed, and marked `writeOnly` in JSON Schemas. */
export function secret(): z.ZodString {
  return z.string().meta({ secret: true, writeOnly: true });
}

/** Whether a schema was made by {@link secret}, also below `optional()` and `default()`. */
export function isSecret(schema: z.ZodType): boolean {
  if (z.globalRegistry.get(schema)?.['secret'] === true) return true;
  const inner = (schema as { _zod?: { def?: { innerType?: z.ZodType } } })._zod?.def?.innerType;
  return inner === undefined ? false : isSecret(inner);
}
