/** Values in messages. */

/** A text, cut where it would fill the screen. */
export function shorten(text: string, length = 300): string {
  return text.length <= length ? text : `${text.slice(0, length)}… (${text.length} characters)`;
}

/** Any value as JSON; bigints with an `n`. */
export function show(value: unknown): string {
  const text = JSON.stringify(value, (_, held: unknown) => (typeof held === 'bigint' ? `${held}n` : held));
  return shorten(text ?? String(value));
}
