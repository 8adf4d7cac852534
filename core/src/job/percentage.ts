/** Shares in job files: `25%`, `0.1%`. */

/** A share between 0 and 1; undefined when the text is no percentage up to 100%. */
export function parsePercentage(text: string): number | undefined {
  const [, number] = /^(\d+(?:\.\d+)?)%$/.exec(text) ?? [];
  return number === undefined || Number(number) > 100 ? undefined : Number(number) / 100;
}
