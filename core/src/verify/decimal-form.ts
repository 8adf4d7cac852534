/** One text for all ways to write a number: its digits without zeros at either end, and a power of ten. */

/** `12.30`, `0012.3` and `123e-1` are `123e-1`; every zero is `0`. Undefined for what is no number. */
export function decimalForm(text: string): string | undefined {
  const match = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?\s*$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const all = `${whole}${fraction}`.replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  if (digits === '') return '0';
  const power = Number(exponent) - fraction.length + (all.length - digits.length);
  return `${sign === '-' ? '-' : ''}${digits}${power === 0 ? '' : `e${power}`}`;
}

/** The decimal text, rounded half away from zero to `scale` places, as databases round. */
export function roundedDecimal(text: string, scale: number): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  const fraction = match?.[3] ?? '';
  if (match === null || fraction.length <= scale) return text;
  const [, sign, whole] = match;
  const kept = BigInt(`${whole}${fraction.slice(0, scale)}`) + (fraction[scale]! >= '5' ? 1n : 0n);
  return `${sign}${kept}e-${scale}`;
}
