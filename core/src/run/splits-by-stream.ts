/** Splits under the streams that they are of: looking through all of them for each of many streams would not end. */
import type { Split } from '@sluice/sdk';

type Entry<T> = readonly [id: string, held: T];

export function splitsByStream<T extends { readonly split: Split }>(splits: {
  readonly [id: string]: T;
}): (stream: string) => readonly Entry<T>[] {
  const found = new Map<string, Entry<T>[]>();
  for (const entry of Object.entries(splits)) {
    for (const stream of entry[1].split.streams) {
      const entries = found.get(stream);
      if (entries === undefined) found.set(stream, [entry]);
      else entries.push(entry);
    }
  }
  return (stream) => found.get(stream) ?? [];
}
