/** A line of a `.env` file that is read back as the same value, whatever it holds. */

/** The name is one of letters, digits and underscores; no value holds a null byte. */
export function dotenvLine(name: string, value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these have to be escaped
  if (!/['\u0000-\u001f]/.test(value)) return `${name}='${value}'\n`;
  const escapes: { readonly [character: string]: string } = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
  const escaped = value.replace(/[\\"$\n\r\t]/g, (character) => escapes[character] ?? `\\${character}`);
  return `${name}="${escaped}"\n`;
}
