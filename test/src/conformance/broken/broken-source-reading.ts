/** Sources whose readers lose or repeat rows, or end wrongly. */
import {
  type Batch,
  type Context,
  checkpoint,
  type Json,
  type Message,
  type OpenRequest,
  type PollPlace,
  type ReadMode,
  type Split,
  type StreamRead,
} from '@sluice/sdk';
import { type BrokenSource, broken, leak } from './broken-source.js';
import { MemorySource, type Opened } from './memory-source.js';

export const brokenResuming: readonly BrokenSource[] = [
  broken(
    'SRC-30',
    'seals twice',
    class extends MemorySource {
      protected override async *messages(opened: Opened): AsyncIterable<Message> {
        yield* super.messages(opened);
        yield checkpoint(opened.to, true);
      }
    },
    'full',
  ),
  broken(
    'SRC-30',
    'ends without a checkpoint behind its last rows',
    class extends MemorySource {
      protected override async *messages(opened: Opened): AsyncIterable<Message> {
        for await (const message of super.messages(opened)) {
          if (message.kind !== 'checkpoint' || message.position !== opened.to) yield message;
        }
      }
    },
    'incremental',
  ),
  broken(
    'SRC-30',
    'seals a split that goes on',
    class extends MemorySource {
      protected override mark(row: number): Message {
        return checkpoint(row, true);
      }
    },
    'incremental',
  ),
  broken(
    'SRC-31',
    'has splits that overlap by a row',
    class extends MemorySource {
      protected override *splitsOf(read: StreamRead): Iterable<Split> {
        for (const split of super.splitsOf(read)) {
          const from = split.start as number;
          yield { ...split, start: Math.max(0, from - 1) };
        }
      }
    },
    'full',
  ),
  broken(
    'SRC-32',
    'loses a row between batches',
    class extends MemorySource {
      protected override batch(opened: Opened, from: number, to: number): Batch {
        return super.batch(opened, from > opened.from && to - from > 1 ? from + 1 : from, to);
      }
    },
  ),
  resumedAt('SRC-33', 'loses a row when it is resumed', (row) => row + 1),
  resumedAt('SRC-33', 'repeats a row when it is resumed', (row) => row - 1),
  broken(
    'SRC-33',
    'loses the last row when it is resumed',
    class extends MemorySource {
      protected override async *messages(opened: Opened): AsyncIterable<Message> {
        const resumed = opened.from !== opened.request.split.start;
        const messages = super.messages(resumed ? { ...opened, to: opened.to - 1 } : opened);
        yield* messages;
      }
    },
  ),
  broken(
    'SRC-34',
    'counts positions from where it was opened',
    class extends MemorySource {
      protected override async *messages(opened: Opened): AsyncIterable<Message> {
        const start = opened.request.split.start as number;
        for await (const message of super.messages(opened)) {
          const isResumed = message.kind === 'checkpoint' && opened.from > start;
          yield isResumed
            ? checkpoint((message.position as number) - opened.from + start + 1, message.sealed)
            : message;
        }
      }
    },
  ),
  broken(
    'SRC-35',
    'does not see cuts',
    class extends MemorySource {
      override open(request: OpenRequest, c: Context) {
        return super.open({ ...request, cuts: [] }, c);
      }
    },
  ),
  resumedAt('SRC-42', 'begins at its last row instead of behind it', (row) => row - 1, 'incremental'),
  resumedAt('SRC-43', 'begins one row behind what is new', (row) => row + 1, 'incremental'),
  broken(
    'SRC-46',
    'calls every poll idle',
    class extends MemorySource {
      override async idle(polls: readonly PollPlace[]): Promise<boolean[]> {
        return polls.map(() => true);
      }
    },
  ),
];

function resumedAt(rule: string, what: string, from: (row: number) => number, mode?: ReadMode): BrokenSource {
  return broken(
    rule,
    what,
    class extends MemorySource {
      protected override async *messages(opened: Opened): AsyncIterable<Message> {
        const resumed = opened.from > (opened.request.split.start as number);
        yield* super.messages(resumed ? { ...opened, from: from(opened.from) } : opened);
      }
    },
    mode,
  );
}

/** A reader that does `instead` once it is to stop. */
function stopping(
  rule: string,
  what: string,
  instead: (opened: Opened) => AsyncIterable<Message>,
): BrokenSource {
  return broken(
    rule,
    what,
    class extends MemorySource {
      protected override async *messages(opened: Opened): AsyncIterable<Message> {
        try {
          yield* super.messages(opened);
        } catch (error) {
          if (!opened.signal.aborted) throw error;
          yield* instead(opened);
        }
      }
    },
    'full',
  );
}

/** Waits for what never comes. */
const hang = (): AsyncIterable<Message> => ({
  [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }),
});

async function* seal({ to }: Opened): AsyncIterable<Message> {
  yield checkpoint(to, true);
}

/** Keeps what it planned in memory until it is closed, and reads from there. */
class PlanKeeper extends MemorySource {
  private static readonly kept = new Map<string, MemorySource>();

  protected override *splitsOf(read: StreamRead): Iterable<Split> {
    for (const split of super.splitsOf(read)) {
      PlanKeeper.kept.set(`${this.config.place}/${split.id}`, this);
      yield split;
    }
  }

  override open(request: OpenRequest, c: Context) {
    const planner = PlanKeeper.kept.get(`${this.config.place}/${request.split.id}`);
    if (planner === undefined) throw new Error('the snapshot is gone');
    return super.open(request, c);
  }

  async close(): Promise<void> {
    for (const [id, planner] of PlanKeeper.kept) if (planner === this) PlanKeeper.kept.delete(id);
  }
}

export const brokenReaders: readonly BrokenSource[] = [
  stopping('SRC-36', 'waits on when it is closed', hang),
  stopping('SRC-36', 'seals when it is closed', seal),
  stopping('SRC-38', 'waits on when it is aborted', hang),
  stopping('SRC-38', 'seals when it is aborted', seal),
  broken(
    'SRC-37',
    'leaves a timer behind each reader',
    class extends MemorySource {
      override open(request: OpenRequest, c: Context) {
        leak();
        return super.open(request, c);
      }
    },
  ),
  broken(
    'SRC-39',
    'cannot acknowledge twice',
    class extends MemorySource {
      private readonly acknowledged = new Set<Json>();
      protected override async ack(position: Json): Promise<void> {
        if (this.acknowledged.has(position)) throw new Error('acknowledged already');
        this.acknowledged.add(position);
      }
    },
  ),
  broken('SRC-40', 'needs the object that planned', PlanKeeper, 'full'),
  broken(
    'SRC-41',
    'has one place for all its readers',
    class extends MemorySource {
      private row: number | undefined;
      protected override async *messages(opened: Opened): AsyncIterable<Message> {
        this.row = undefined;
        yield* super.messages(opened);
      }
      protected override batch(opened: Opened, from: number, to: number): Batch {
        const row = this.row ?? from;
        this.row = row + to - from;
        return super.batch(opened, row, row + to - from);
      }
    },
    'full',
  ),
];
