/**
 * `.env` files: `NAME=value` a line, optionally behind `export`. A value in single quotes is taken as it is, one in
 * double quotes knows \n, \r, \t, \", \\ and \$; both may span lines. An unquoted value ends at ` #`. Nothing is
 * substituted.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { coreErrors } from '../errors.js';

export interface Dotenv {
  readonly values: { readonly [name: string]: string };
  /** Numbers of lines that were not understood. */
  readonly skipped: readonly number[];
}

export function parseDotenv(text: string): Dotenv {
  const values: { [name: string]: string } = {};
  const skipped: number[] = [];
  const source = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  const entry =
    /[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*(?:'([^']*)'[ \t]*(?:#.*)?|"((?:[^"\\]|\\[\s\S])*)"[ \t]*(?:#.*)?|([^\n]*))(?:\n|$)/y;
  const nothing = /[ \t]*(?:#.*)?(?:\n|$)/y;
  for (let at = 0, line = 1; at < source.length; ) {
    nothing.lastIndex = entry.lastIndex = at;
    const blank = nothing.exec(source);
    const found = blank ? null : entry.exec(source);
    let end = blank ? nothing.lastIndex : entry.lastIndex;
    if (found) {
      const [, name, single, double, plain] = found;
      values[name!] = single ?? (double === undefined ? unquoted(plain!) : unescaped(double));
    } else if (!blank) {
      skipped.push(line);
      end = source.indexOf('\n', at) + 1 || source.length;
    }
    line += source.slice(at, end).split('\n').length - 1;
    at = end;
  }
  return { values, skipped };
}

function unquoted(text: string): string {
  return text.replace(/(^|\s)#.*$/, '').trim();
}

const ESCAPES: { readonly [char: string]: string } = { n: '\n', r: '\r', t: '\t' };

function unescaped(text: string): string {
  return text.replace(/\\([nrt"\\$])/g, (_all, char: string) => ESCAPES[char] ?? char);
}

/** The `.env` file of a folder; empty when there is none. */
export function readDotenv(folder: string): Dotenv {
  const path = join(folder, '.env');
  try {
    return parseDotenv(readFileSync(path, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // A folder called .env is a virtual environment of Python.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return { values: {}, skipped: [] };
    throw coreErrors.jobUnreadable(`${path} cannot be read: ${message}`, { cause: error });
  }
}
