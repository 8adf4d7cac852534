/**
 * Lines at the bottom of a terminal that are drawn again in place. A frame is one write, so nothing flickers:
 * the cursor goes up, each line is written over the old one, and what is left of it is cleared.
 */
import type { OutStream } from './out-stream.js';

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_LINE_END = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

export class LiveLines {
  private drawn = 0;
  private frame = '';
  private cursorHidden = false;
  private readonly restore = () => this.stream.write(SHOW_CURSOR);

  constructor(private readonly stream: OutStream) {}

  /** Shows these lines instead of the ones before. Each must fit the terminal's width. */
  draw(lines: readonly string[]): void {
    const frame = lines.map((line) => `${line}${CLEAR_LINE_END}\n`).join('');
    if (frame === this.frame) return;
    this.frame = frame;
    if (!this.cursorHidden) process.once('exit', this.restore);
    this.cursorHidden = true;
    this.stream.write(`${HIDE_CURSOR}${up(this.drawn)}${frame}${CLEAR_BELOW}`);
    this.drawn = lines.length;
  }

  /** Prints a line that stays, above the live ones. */
  printAbove(line: string, live: readonly string[]): void {
    const body = [line, ...live].map((text) => `${text}${CLEAR_LINE_END}\n`).join('');
    this.stream.write(`${up(this.drawn)}${body}${CLEAR_BELOW}`);
    this.drawn = live.length;
    this.frame = '';
  }

  /** Takes the live lines away and gives the cursor back. */
  clear(): void {
    if (this.drawn > 0) this.stream.write(`${up(this.drawn)}${CLEAR_BELOW}`);
    if (this.cursorHidden) this.restore();
    process.removeListener('exit', this.restore);
    this.drawn = 0;
    this.frame = '';
    this.cursorHidden = false;
  }
}

function up(lines: number): string {
  return lines > 0 ? `\u001b[${lines}A\r` : '\r';
}
