/** What the engine hands to every verb of a contract. */

/** Structured log: a message and facts. Values that the configuration marked secret are redacted by the engine. */
export interface Logger {
  debug(message: string, fields?: { readonly [name: string]: unknown }): void;
  info(message: string, fields?: { readonly [name: string]: unknown }): void;
  warn(message: string, fields?: { readonly [name: string]: unknown }): void;
  error(message: string, fields?: { readonly [name: string]: unknown }): void;
}

export interface Context {
  /** Aborted when the work should stop at once; a verb then rejects soon. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Folder that relative paths of a configuration start from. */
  readonly cwd: string;
  /** Bytes of memory that this connector may hold beside the batches in flight. */
  readonly memory: number;
  /** Whose work it is, `job/flow`, in a run: what a system keeps for a flow is called after it. */
  readonly flow?: string;
}

/** A logger that says nothing. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
