/** What an author says of a transform, and the session in which a rule uses it. */
import {
  Batch,
  type BatchOptions,
  type BoundTransform,
  type JsonObject,
  type Row,
  routedStream,
  type StreamSchema,
  type Transform,
} from '@sluice/sdk';
import { throughJson } from '../json-trip.js';
import { demand, type Session } from '../rule.js';
import { DEFAULT_SEED, type RowsByStream } from '../source/source-subject.js';

export interface TransformOptions {
  /** The transform, with options of whatever type. */
  // biome-ignore lint/suspicious/noExplicitAny: the options' type is the transform's own affair.
  readonly transform: Transform<any>;
  /** Its options as a job file has them. */
  readonly options: JsonObject;
  /** The stream that it is bound to. With a key, changes are judged too. */
  readonly schema: StreamSchema;
  /** Rows of that stream which come through: ten or twenty, different from each other, each with a key of its own. */
  readonly rows: readonly Row[];
  /** What becomes of these rows, in order, as somebody else than the transform knows it; by stream where it routes. */
  readonly expected?: readonly Row[] | RowsByStream;
  /** Rows that it must refuse. */
  readonly rejects?: readonly Row[];
  /** Options, as a job file has them, that it must refuse to be bound with. */
  readonly refuses?: readonly JsonObject[];
  /** Columns that tell of the change, not of the row: they are not compared where a copy of the row would say something else. */
  readonly ofChange?: readonly string[];
  /** Folder that relative paths of the options start from. */
  readonly cwd?: string;
  /** Seed of what the kit chooses by chance. */
  readonly seed?: number;
}

export class TransformSession implements Session {
  readonly transform: TransformOptions['transform'];
  readonly schema: StreamSchema;
  readonly rows: readonly Row[];
  readonly seed: number;
  readonly ofChange: readonly string[];

  private constructor(readonly given: TransformOptions) {
    this.transform = given.transform;
    this.schema = given.schema;
    this.rows = given.rows;
    this.seed = given.seed ?? DEFAULT_SEED;
    this.ofChange = given.ofChange ?? [];
  }

  static async begin(options: TransformOptions): Promise<TransformSession> {
    demand(
      options.rows.length > 1,
      'the kit has less than two rows: give it some, so that there is something to judge',
    );
    return new TransformSession(options);
  }

  /** Binds the transform to the stream, or to another schema; its options come from JSON text, as from a job file. */
  async bind(schema: StreamSchema = this.schema, options = this.given.options): Promise<BoundTransform> {
    const parsed: unknown = this.transform.options.parse(throughJson(options));
    return this.transform.bind(schema, parsed, { cwd: this.given.cwd ?? process.cwd() });
  }

  /** A batch of the stream's rows, in columns. */
  batch(rows: readonly Row[] = this.rows, options: BatchOptions = {}, schema = this.schema): Batch {
    const made = Batch.ofRows(schema, rows, options);
    return Batch.ofColumns(schema, made.columns(), rows.length, options);
  }

  async end(): Promise<void> {}
}

/** What a transform makes of a batch, with every column that it makes looked at, as the engine does. */
export function applied(bound: BoundTransform, batch: Batch): readonly Batch[] {
  const batches = bound.apply(batch);
  for (const made of batches) {
    for (const [i, { name }] of made.schema.fields.entries()) if (bound.writes.includes(name)) made.column(i);
  }
  return batches;
}

/** The streams that batches may be of. */
export function streamsOf({ out, routes }: BoundTransform): readonly string[] {
  return routes?.map((route) => routedStream(out.stream, route)) ?? [out.stream];
}
