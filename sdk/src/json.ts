/** A value that survives JSON unchanged. Everything that crosses a contract verb, except batches, is one. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A JSON object. */
export type JsonObject = { [key: string]: Json };
