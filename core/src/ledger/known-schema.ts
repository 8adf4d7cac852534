/** What a flow keeps of the shape of a stream. */
import type { Json, StreamSchema } from '@sluice/sdk';

export interface KnownSchema extends StreamSchema {
  /** The source's own mark of the stream when it had this shape: see `CatalogStream.mark`. */
  readonly mark?: Json;
  /** Columns that targets have got with values which stand in no change. A target without them has missed those. */
  readonly filled?: readonly string[];
}
