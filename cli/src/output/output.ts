/** Where a command writes, and how it was asked to. */
import { OutStream, type RawStream } from './out-stream.js';

export class Output {
  readonly stdout: OutStream;
  readonly stderr: OutStream;
  /** For programs: JSON on stdout, and on stderr too. */
  json = false;
  /** Errors and results only. */
  quiet = false;
  /** Debug logs and stack traces. */
  debug = false;

  constructor(
    stdout: RawStream,
    stderr: RawStream,
    readonly env: NodeJS.ProcessEnv,
  ) {
    this.stdout = new OutStream(stdout, env);
    this.stderr = new OutStream(stderr, env);
  }

  /** From now on `redact` is applied to everything that is written. */
  redactWith(redact: (text: string) => string): void {
    this.stdout.redact = redact;
    this.stderr.redact = redact;
  }
}
