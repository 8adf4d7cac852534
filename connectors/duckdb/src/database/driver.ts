/** DuckDB's library, loaded when the first verb needs it: 70 MB that `sluice --help` should not wait for. */
import { duckdbErrors } from '../errors.js';

export type Api = typeof import('@duckdb/node-api');
export type Bindings = typeof import('@duckdb/node-bindings');

export interface Driver {
  /** Instances, connections, types. */
  readonly api: Api;
  /** The C interface beneath, for chunks and vectors: no JavaScript value is made per cell. */
  readonly bindings: Bindings;
}

let loading: Promise<Driver> | undefined;

export function loadDriver(): Promise<Driver> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Driver> {
  try {
    const [api, bindings] = await Promise.all([import('@duckdb/node-api'), import('@duckdb/node-bindings')]);
    // A CommonJS module: its functions are properties of the default export, though its types do not say so.
    return { api, bindings: (bindings as unknown as { default: Bindings }).default };
  } catch (cause) {
    const platform = `${process.platform} ${process.arch}`;
    throw duckdbErrors.noDriver(`DuckDB could not be loaded on ${platform}: ${(cause as Error).message}`, {
      cause,
    });
  }
}
