/** Writers of parts: batches in, bytes of one file out. */
import type { Storage } from '@sluice/formats';
import type { Batch, Field } from '@sluice/sdk';

/** A file of rows that is being written. */
export interface PartWriter {
  write(batch: Batch): Promise<void>;
  /** Bytes given to the file so far, for rotation. */
  readonly bytes: number;
  /** Writes what the format has at its end. The file itself is finished by the caller. */
  finish(): Promise<void>;
}

export interface PartFormat {
  /** Ending of the files: `.parquet`, `.csv.gz`. */
  readonly ending: string;
  /** Bytes that a writer holds back at least, however little it is given. */
  readonly leastMemory: number;
  /** `memory`: bytes that the writer may hold back. */
  open(fields: readonly Field[], out: (bytes: Uint8Array) => Promise<void>, memory: number): PartWriter;
  /** What stands before the first row of a joined file, where parts are written without it. */
  preamble?(fields: readonly Field[]): Promise<Uint8Array>;
  /** Reads a part again, where the bytes of parts cannot stand one after the other. */
  readParts?(storage: Storage, path: string, fields: readonly Field[]): AsyncIterable<Batch>;
}
