/**
 * The format of encoded batches: rows as the CopyData messages of binary COPY, each with its five-byte header, with
 * neither the signature before nor the trailer behind. The name says what the columns are:
 * `postgres-copy-frames(int8,text,numeric(12,2))`.
 */
import { takesWire, type Wire, wireName } from './wire.js';

const PREFIX = 'postgres-copy-frames(';

/** The format of rows with these columns; undefined when they cannot be handed on as they are. */
export function framesFormat(wires: readonly Wire[]): string | undefined {
  const names = wires.map(wireName);
  return names.includes(undefined) || names.length === 0 ? undefined : `${PREFIX}${names.join(',')})`;
}

/** Whether a table with these columns takes rows of a format as they are. */
export function takesFrames(format: string, targets: readonly Wire[]): boolean {
  if (!format.startsWith(PREFIX) || !format.endsWith(')')) return false;
  const sources = format.slice(PREFIX.length, -1).match(/[^,()]+(?:\([^)]*\))?/g) ?? [];
  return sources.length === targets.length && sources.every((source, i) => takesWire(source, targets[i]!));
}
