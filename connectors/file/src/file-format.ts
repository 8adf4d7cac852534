/** Formats and compressions by file endings. */
import { COMPRESSION_ENDINGS, type Compression, compressionOfPath } from '@sluice/formats';

export type FormatName = 'csv' | 'jsonl' | 'json' | 'parquet';

const ENDINGS: { readonly [ending: string]: FormatName } = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.json': 'json',
  '.parquet': 'parquet',
};

export interface PathParts {
  /** The file's name without folders and without the endings that are understood. */
  readonly base: string;
  /** `.csv`, in lower case; empty when it is none that is understood. */
  readonly ending: string;
  readonly format: FormatName | undefined;
  readonly compression: Compression;
}

/** What a path says: `data/orders.csv.gz` is `orders`, CSV, gzip. */
export function partsOfPath(path: string): PathParts {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const compression = compressionOfPath(name);
  let base = name;
  if (compression !== 'none') {
    const suffix = Object.keys(COMPRESSION_ENDINGS).find((ending) => name.toLowerCase().endsWith(ending))!;
    base = name.slice(0, -suffix.length);
  }
  const dot = base.lastIndexOf('.');
  const ending = dot < 0 ? '' : base.slice(dot).toLowerCase();
  const format = Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending] : undefined;
  return {
    base: format === undefined ? base : base.slice(0, dot),
    ending: format === undefined ? '' : ending,
    format,
    compression,
  };
}
