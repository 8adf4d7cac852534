/** `  what   a text` with the text wrapped beside its label. */
import { wrap } from '../arguments/help-text.js';
import { pad, visibleLines } from './cells.js';
import type { Colours } from './colours.js';

const LABEL = 7;
const INDENT = ' '.repeat(LABEL + 2);

/** No lines for an empty text. */
export function labelledLines(label: string, text: string, colours: Colours, width = 100): string[] {
  if (text === '') return [];
  const room = Math.max(40, Math.min(width, 120));
  const lines = visibleLines(text)
    .split('\n')
    .map((line) => wrap(line, room, INDENT));
  return [`  ${colours.dim(pad(label, LABEL))}${lines.join('\n').slice(INDENT.length)}`];
}
