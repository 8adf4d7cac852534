/** One stream's rows, made by number. */
import { Batch, type StreamSchema, streamSchema } from '@sluice/sdk';
import { columnGenerator } from './column-generator.js';
import type { GenerateConfig, GenerateStream } from './generate-config.js';
import { fieldsOf, mayBeNull } from './logical-type.js';
import type { MakeColumn } from './nested-columns.js';
import { keyOf, rowCells } from './random.js';

/** The schema that a stream's columns give. */
export function schemaOf(name: string, { columns, key }: GenerateStream): StreamSchema {
  const keyed = key ?? (columns['id'] !== undefined && !mayBeNull(columns['id']) ? ['id'] : []);
  return streamSchema(name, fieldsOf(columns), keyed);
}

export class StreamGenerator {
  private readonly key: number;
  private readonly columns: { readonly [name: string]: MakeColumn };

  constructor(seed: number, name: string, stream: GenerateStream) {
    this.key = keyOf(`${seed}/${name}`);
    const made = Object.entries(stream.columns).map(
      ([column, spec]) => [column, columnGenerator(column, spec)] as const,
    );
    this.columns = Object.fromEntries(made);
  }

  /** Rows `first` to `first + count`, in the columns that `schema` selects. */
  batch(schema: StreamSchema, first: number, count: number): Batch {
    const cells = rowCells(this.key, first, count);
    return Batch.ofColumns(
      schema,
      schema.fields.map((f) => this.columns[f.name]!(cells)),
      count,
    );
  }
}

/** How many rows a stream has. */
export function rowsOf(config: GenerateConfig, stream: GenerateStream): number {
  return stream.rows ?? config.rows;
}
