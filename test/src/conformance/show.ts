/** Values in messages. */
import { isDeepStrictEqual } from 'node:util';

/** A text, cut where it would fill the screen. */
export function shorten(text: string, length = 300): string {
  return text.length <= length ? text : `${text.slice(0, length)}… (${text.length} characters)`;
}

/** Any value as JSON; bigints with an `n`. */
export function show(value: unknown): string {
  const text = JSON.stringify(value, (_, held: unknown) => (typeof held === 'bigint' ? `${held}n` : held));
  return shorten(text ?? String(value));
}

/** Where two JSON values first differ, as a sentence: `at [0].spec.to: 70 and 71`. */
export function showDifference(a: unknown, b: unknown, path = ''): string {
  if (isContainer(a) && isContainer(b)) {
    const [left, right] = [a, b] as [{ [key: string]: unknown }, { [key: string]: unknown }];
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      if (isDeepStrictEqual(left[key], right[key])) continue;
      return showDifference(left[key], right[key], Array.isArray(a) ? `${path}[${key}]` : `${path}.${key}`);
    }
  }
  return `at ${path === '' ? 'the top' : path.replace(/^\./, '')}: ${show(a)} and ${show(b)}`;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
