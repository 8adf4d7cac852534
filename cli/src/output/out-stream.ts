/** stdout or stderr: what is written is redacted, and a reader that has gone is no error. */
import { type Colours, colours, wantsColour } from './colours.js';
import { toJson } from './to-json.js';

/** What is used of a Node stream. */
export interface RawStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string, done?: () => void): boolean;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

const DEFAULT_WIDTH = 100;
const DEFAULT_HEIGHT = 24;
/** Characters that are written at once. */
const GATHERED = 64 * 1024;

export class OutStream {
  readonly isTTY: boolean;
  readonly colours: Colours;
  /** Takes secrets out of everything that is written. */
  redact: (text: string) => string = (text) => text;
  /** Why nothing can be written any more, where that is an error (a full disk) and not a reader that left. */
  failure: NodeJS.ErrnoException | undefined;
  private gone = false;

  constructor(
    private readonly raw: RawStream,
    env: NodeJS.ProcessEnv,
  ) {
    this.isTTY = raw.isTTY === true;
    this.colours = colours(wantsColour(this.isTTY, env));
    raw.on('error', (error) => {
      if (this.gone) return;
      this.gone = true;
      if (error.code !== 'EPIPE' && error.code !== 'EIO') this.failure = error;
    });
  }

  /** Whether the reader of a pipe has closed it, or nothing can be written for another reason. */
  get isGone(): boolean {
    return this.gone;
  }

  /** Columns of the terminal; undefined where there is none: lines are then as long as they need to be. */
  get width(): number | undefined {
    return this.isTTY ? this.raw.columns || DEFAULT_WIDTH : undefined;
  }

  get height(): number {
    return this.raw.rows || DEFAULT_HEIGHT;
  }

  /** Resolves when everything that was written has left the process, or cannot. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.gone) resolve();
      else this.raw.write('', () => resolve());
    });
  }

  write(text: string): void {
    if (!this.gone) this.raw.write(this.redact(text));
  }

  line(text = ''): void {
    this.write(`${text}\n`);
  }

  /** Many lines, no faster than the reader takes them. */
  async lines(lines: Iterable<string>): Promise<void> {
    let text = '';
    for (const line of lines) {
      text += `${line}\n`;
      if (text.length < GATHERED) continue;
      this.write(text);
      text = '';
      await this.flushed();
    }
    this.write(text);
  }

  /** A value as one line of JSON. */
  json(value: unknown): void {
    if (!this.gone) this.raw.write(`${toJson(value, this.redact)}\n`);
  }
}
