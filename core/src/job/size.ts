/**
 * Numbers of bytes in job files: `4096`, `512Ki`, `512Mi`, `2Gi` (powers of 1024, also written `MiB`), `64kB`, `64MB`,
 * `2GB` (powers of 1000, also without the B).
 */

const FACTORS: { readonly [prefix: string]: number } = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};

/** Whole bytes; undefined when the text is no size. */
export function parseSize(text: string): number | undefined {
  const [, number, prefix] = /^(\d+(?:\.\d+)?) ?([kmgt]i?|)b?$/i.exec(text) ?? [];
  if (number === undefined) return undefined;
  const bytes = Math.floor(Number(number) * FACTORS[prefix!.toLowerCase()]!);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
