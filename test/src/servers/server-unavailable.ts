/**
 * Thrown when a server, or a tool that tests read with, cannot be had on this machine. Its message is the
 * reason that a skipped test shows, so it says what was tried.
 */
export class ServerUnavailable extends Error {
  override readonly name = 'ServerUnavailable';
}
