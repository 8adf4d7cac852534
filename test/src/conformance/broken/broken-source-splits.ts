/** Sources that plan wrongly. */
import type { Context, Json, JsonObject, Split, StreamRead } from '@sluice/sdk';
import { type BrokenSource, broken } from './broken-source.js';
import { MemorySource } from './memory-source.js';

let counter = 0;

export const brokenSplits: readonly BrokenSource[] = [
  changedSplits('SRC-11', 'calls all splits of a stream the same', (split) => ({
    ...split,
    id: split.streams[0]!,
  })),
  changedSplits('SRC-12', 'numbers splits as it plans them', (split) => ({
    ...split,
    id: `split ${++counter}`,
  })),
  changedSplits('SRC-13', 'puts a date into its splits', (split) => ({
    ...split,
    spec: { ...(split.spec as JsonObject), planned: new Date(0) as unknown as Json },
  })),
  broken(
    'SRC-14',
    'does not look at what is known',
    class extends MemorySource {
      override splits(
        reads: readonly StreamRead[],
        _known: readonly Split[],
        c: Context,
      ): AsyncIterable<Split> {
        return super.splits(reads, [], c);
      }
    },
  ),
  broken(
    'SRC-15',
    'believes that planning was finished when something is known',
    class extends MemorySource {
      override async *splits(
        reads: readonly StreamRead[],
        known: readonly Split[],
        c: Context,
      ): AsyncIterable<Split> {
        if (known.length === 0) yield* super.splits(reads, known, c);
      }
    },
  ),
  broken(
    'SRC-16',
    'plans whatever there is',
    class extends MemorySource {
      override splits(
        reads: readonly StreamRead[],
        known: readonly Split[],
        c: Context,
      ): AsyncIterable<Split> {
        const all = [...this.place.values()].map(({ schema }) => ({
          ...reads[0]!,
          stream: schema.stream,
          schema,
        }));
        return super.splits(all, known, c);
      }
    },
  ),
  changedSplits('SRC-17', 'plans volatile splits for a resumable read', (split) => ({
    ...split,
    volatile: true,
  })),
  broken(
    'SRC-18',
    'takes a missing stream for an empty one',
    class extends MemorySource {
      protected override stream(name: string) {
        return this.place.get(name) ?? this.place.get('nothing')!;
      }
    },
  ),
  changedSplits('SRC-45', 'calls rows distinct that have no key', (split) => ({ ...split, distinct: true })),
  broken(
    'SRC-45',
    'calls rows distinct of which two have one key',
    class extends MemorySource {
      protected override *splitsOf(read: StreamRead): Iterable<Split> {
        const [first, ...others] = super.splitsOf(read);
        yield first!;
        if (read.schema.key.length > 0) yield { ...first!, id: `${first!.id} again` };
        yield* others;
      }
    },
  ),
];

function changedSplits(rule: string, what: string, change: (split: Split) => Split): BrokenSource {
  return broken(
    rule,
    what,
    class extends MemorySource {
      protected override *splitsOf(read: StreamRead): Iterable<Split> {
        for (const split of super.splitsOf(read)) yield change(split);
      }
    },
  );
}
