/** Ways to write a name of several words. */

export const NAME_STYLES = ['snake', 'camel', 'pascal', 'kebab', 'upper', 'lower'] as const;
export type NameStyle = (typeof NAME_STYLES)[number];

/** Capitals in a row are one word (`orderID`, `HTTPStatus`); digits belong to the word before them. */
const WORD = /(?:\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)\p{N}*|\p{N}+/gu;

/** The name in a style; `upper` and `lower` keep its words and what stands between them. */
export function inStyle(name: string, style: NameStyle): string {
  if (style === 'upper') return name.toUpperCase();
  if (style === 'lower') return name.toLowerCase();
  const words = (name.match(WORD) ?? []).map((word) => word.toLowerCase());
  if (words.length === 0) return name;
  if (style === 'snake') return words.join('_');
  if (style === 'kebab') return words.join('-');
  const [first, ...rest] = words;
  return [style === 'camel' ? first! : capitalised(first!), ...rest.map(capitalised)].join('');
}

function capitalised(word: string): string {
  const [first = '', ...rest] = word;
  return first.toUpperCase() + rest.join('');
}
