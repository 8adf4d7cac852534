/** Log messages for people: one line each. */
import type { Logger } from '@sluice/sdk';
import { pad, visible } from './cells.js';
import type { Colours } from './colours.js';
import { type LogLevel, reaches } from './log-level.js';

/** A logger that hands lines to `print`; with `times`, each begins with the time of day. */
export function humanLogger(
  print: (line: string) => void,
  least: LogLevel,
  colours: Colours,
  times: boolean,
): Logger {
  const log = (level: LogLevel) => (message: string, fields?: { readonly [name: string]: unknown }) => {
    if (!reaches(level, least)) return;
    const time = times ? `${new Date().toISOString()} ` : '';
    print(
      `${colours.dim(time)}${paintLevel(level, colours)} ${visible(message)}${colours.dim(fieldsText(fields))}`,
    );
  };
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}

function paintLevel(level: LogLevel, colours: Colours): string {
  const text = pad(level, 5);
  if (level === 'error') return colours.red(text);
  return level === 'warn' ? colours.yellow(text) : colours.dim(text);
}

function fieldsText(fields: { readonly [name: string]: unknown } = {}): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${visible(fieldText(value))}`)
    .join('');
}

function fieldText(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.message);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string') return /[\s"=]/.test(value) ? JSON.stringify(value) : value;
  return (
    JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? part.toString() : part)) ?? String(value)
  );
}
