/** Rates in job files: an amount and a unit of time, such as `5000/s`, `10MiB/s`, `600/m` or `1GB/h`. */

const SECONDS: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600 };

/** The amount a second, above zero; undefined when the text is no rate. `amountOf` reads what stands before the slash. */
export function parseRate(text: string, amountOf: (text: string) => number | undefined): number | undefined {
  const [, amount, unit] = /^(.+)\/([smh])$/.exec(text) ?? [];
  if (amount === undefined) return undefined;
  const perUnit = amountOf(amount.trim()) ?? 0;
  return perUnit > 0 ? perUnit / SECONDS[unit!]! : undefined;
}

/** A whole number; undefined when the text is none. */
export function parseCount(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
