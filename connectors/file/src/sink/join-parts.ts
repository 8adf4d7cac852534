/** Joins a generation's parts into one file. */
import type { Storage } from '@sluice/formats';
import { Batch, type Field, streamSchema } from '@sluice/sdk';
import type { PartFormat } from './part-format.js';

const JOIN_MEMORY = 32 << 20;

/**
 * Makes `to` of parts: their bytes one after the other where the format allows it, else their rows again. When `to` is
 * there it is whole; a single part that can stand alone is moved.
 */
export async function joinParts(
  storage: Storage,
  parts: readonly string[],
  to: string,
  fields: readonly Field[],
  format: PartFormat,
): Promise<void> {
  if (parts.length === 1 && format.preamble === undefined) {
    await storage.rename(parts[0]!, to);
    return;
  }
  const joining = `${to}.tmp`;
  const file = await storage.create(joining);
  try {
    if (format.readParts !== undefined || parts.length === 0) {
      const writer = format.open(fields, (bytes) => file.write(bytes), JOIN_MEMORY);
      if (parts.length === 0) await writer.write(Batch.ofRows(streamSchema('', fields), []));
      for (const part of parts) {
        for await (const batch of format.readParts!(storage, part, fields)) await writer.write(batch);
      }
      await writer.finish();
    } else {
      if (format.preamble) await file.write(await format.preamble(fields));
      for (const part of parts) for await (const chunk of storage.read(part)) await file.write(chunk);
    }
    await file.finish();
    await storage.rename(joining, to);
  } catch (error) {
    await file.abort();
    throw error;
  }
}
