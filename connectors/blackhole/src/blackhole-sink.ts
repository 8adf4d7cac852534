/**
 * A sink that counts rows and drops them. It keeps no record: a run that is repeated counts again, so nothing
 * better than "at least once" is said of its modes, and of upserts what holds for every sink that writes by key.
 */
import {
  type Batch,
  type Clear,
  type Context,
  type FlushWriter,
  formatType,
  type LaneRequest,
  type Sink,
  type SinkStream,
  sdkErrors,
  type TablePlan,
} from '@sluice/sdk';
import type { BlackholeConfig } from './blackhole-config.js';

export class BlackholeSink implements Sink {
  readonly capabilities = {
    modes: { append: 'append', upsert: 'keyed', replace: 'append' },
    transactions: 'whole',
    partialUpdates: true,
    move: true,
    guard: false,
    writers: 64,
  } as const;

  constructor(private readonly config: BlackholeConfig) {}

  async check(): Promise<void> {}

  async identity(): Promise<string> {
    return 'blackhole';
  }

  async plan(streams: readonly SinkStream[]): Promise<TablePlan[]> {
    return streams.map(({ stream, target, schema, write, encodings }) => {
      if (write === 'mirror' || write === 'history') {
        throw sdkErrors.notSupported(
          `blackhole has no write mode ${write}: it keeps nothing to compare with`,
          {
            details: { stream },
          },
        );
      }
      const encoding = this.config.decode === 'none' ? encodings[0] : undefined;
      return {
        stream,
        target,
        write,
        protocol: this.capabilities.modes[write],
        schema,
        ...(encoding !== undefined && { encoding }),
        publish: 'none',
        exists: true,
        ddl: [],
        types: schema.fields.map((f) => {
          const type = formatType(f.type);
          return { column: f.name, from: type, to: type, verdict: 'exact' };
        }),
        notes: ['rows are counted and dropped'],
        detail: null,
      };
    });
  }

  async attach(): Promise<undefined> {
    return undefined;
  }
  async adopt(): Promise<void> {}
  async applySchema(): Promise<void> {}
  async publish(): Promise<void> {}

  async open(lane: LaneRequest, c: Context): Promise<FlushWriter> {
    return new CountingWriter(lane, this.config.decode, c);
  }
}

class CountingWriter implements FlushWriter {
  readonly protocol: 'append' | 'keyed';
  private readonly counts = new Map<string, { rows: number; bytes: number; batches: number }>();

  constructor(
    private readonly lane: LaneRequest,
    private readonly decode: BlackholeConfig['decode'],
    private readonly c: Context,
  ) {
    this.protocol = lane.tables.every((table) => table.protocol === 'keyed') ? 'keyed' : 'append';
  }

  async write(message: Batch | Clear): Promise<void> {
    if (message.kind === 'clear') return;
    if (this.decode === 'columns') message.columns();
    if (this.decode === 'rows') message.rows();
    const count = this.counts.get(message.stream) ?? { rows: 0, bytes: 0, batches: 0 };
    count.rows += message.rowCount;
    count.bytes += message.byteSize;
    count.batches++;
    this.counts.set(message.stream, count);
  }

  async flush(): Promise<void> {}
  async abort(): Promise<void> {}

  async close(): Promise<void> {
    for (const [stream, count] of this.counts) {
      this.c.log.info('rows dropped', { stream, split: this.lane.split.id, ...count });
    }
  }
}
