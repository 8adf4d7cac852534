import { expect, it } from 'vitest';
import { LiveLines } from './live-lines.js';
import { OutStream } from './out-stream.js';

/** A terminal that understands what is used of one: enough to see what a person sees. */
class Screen {
  readonly isTTY = true;
  lines: string[] = [''];
  row = 0;
  column = 0;
  cursor = true;
  on(): void {}
  write(text: string): boolean {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's escapes begin with one
    for (const part of text.match(/\u001b\[\??\d*[A-Za-z]|\n|\r|[^\u001b\n\r]+/g) ?? []) this.obey(part);
    return true;
  }
  private obey(part: string): void {
    if (part === '\n') {
      this.row++;
      this.column = 0;
      this.lines[this.row] ??= '';
    } else if (part === '\r') this.column = 0;
    else if (part === '\u001b[K') this.lines[this.row] = this.lines[this.row]!.slice(0, this.column);
    else if (part === '\u001b[J') {
      this.lines[this.row] = this.lines[this.row]!.slice(0, this.column);
      this.lines.length = this.row + 1;
    } else if (part === '\u001b[?25l') this.cursor = false;
    else if (part === '\u001b[?25h') this.cursor = true;
    else if (part.startsWith('\u001b[')) this.row -= Number(part.slice(2, -1));
    else {
      const line = this.lines[this.row]!;
      this.lines[this.row] =
        line.slice(0, this.column).padEnd(this.column) + part + line.slice(this.column + part.length);
      this.column += part.length;
    }
  }
}

it('draws over what it drew, keeps lines above, and leaves nothing behind', () => {
  const screen = new Screen();
  const live = new LiveLines(new OutStream(screen, {}));
  live.draw(['first line', 'second']);
  live.draw(['1st', 'second', 'third']);
  expect(screen.lines).toEqual(['1st', 'second', 'third', '']);
  live.printAbove('a message', ['1st', '2nd']);
  expect(screen.lines).toEqual(['a message', '1st', '2nd', '']);
  live.draw(['x']);
  expect(screen.lines).toEqual(['a message', 'x', '']);
  expect(screen.cursor).toBe(false);
  live.clear();
  expect(screen.lines).toEqual(['a message', '']);
  expect(screen.cursor).toBe(true);
});
