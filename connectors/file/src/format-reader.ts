/** What the source asks of a format. */
import type { Storage } from '@sluice/formats';
import type { Context, Field, Json, Message, SluiceError, StreamSchema } from '@sluice/sdk';
import type { Constants } from './hive-columns.js';
import type { SourceFile } from './source-files.js';

/** What a stream's files hold. */
export interface Inspection {
  readonly fields: readonly Field[];
  /** Remarks for plans: how types were guessed, which columns disagree. */
  readonly notes: readonly string[];
  readonly estimatedRows?: number;
  /** The error of the first record that was passed over. */
  readonly broken?: SluiceError;
}

/** A part of a file that is read on its own. */
export interface FilePart {
  /** Distinguishes it from the file's other parts in the split's id; empty for a whole file. */
  readonly name: string;
  readonly spec: Json;
  readonly start: Json;
  readonly estimatedBytes: number;
}

export interface ReadPart {
  readonly file: SourceFile;
  readonly spec: Json;
  readonly schema: StreamSchema;
  /** Columns that do not come from the file, also where it has one of that name. */
  readonly constants: Constants;
  readonly at: Json;
  readonly cuts: readonly Json[];
  readonly batchRows: number;
  readonly batchBytes: number;
  /** Whether records that cannot be read are passed over and told of. */
  readonly tolerant: boolean;
}

export interface FormatReader {
  /** Looks at as many of the files as it needs to know the stream's columns. */
  inspect(stream: string, files: readonly SourceFile[], c: Context): Promise<Inspection>;
  /** The parts of a file, in order. Cheap: at most a footer is read. */
  parts(file: SourceFile): Promise<readonly FilePart[]>;
  /** Batches with a checkpoint behind each; the last checkpoint is sealed. */
  read(part: ReadPart): AsyncGenerator<Message>;
}

export interface FormatPlace {
  readonly storage: Storage;
}
