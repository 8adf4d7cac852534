/** Random access to a file's bytes, wherever it lies. */
export interface ByteSource {
  /** Bytes in all. */
  readonly size: number;
  /** Exactly `length` bytes from `offset` on; fewer only where the file has become shorter. */
  read(offset: number, length: number): Promise<Uint8Array>;
}
