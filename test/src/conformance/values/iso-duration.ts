/** ISO 8601 durations as systems write them, for comparing: `P1Y2M3DT4H5.5S`, with signs anywhere. */

const PART = '([+-]?\\d+)';
const DURATION = new RegExp(
  `^([+-]?)P(?:${PART}Y)?(?:${PART}M)?(?:${PART}W)?(?:${PART}D)?(?:T(?:${PART}H)?(?:${PART}M)?(?:([+-]?)(\\d+)(?:\\.(\\d{1,9}))?S)?)?$`,
);

export interface IsoDuration {
  readonly months: number;
  readonly days: number;
  readonly nanos: bigint;
}

export function parseIsoDuration(text: string): IsoDuration | undefined {
  const match = DURATION.exec(text);
  if (!match) return undefined;
  const [, minus, years = '0', months = '0', weeks = '0', days = '0', hours = '0', minutes = '0'] = match;
  const [secondsMinus = '', seconds = '0', fraction = ''] = match.slice(8);
  const second = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
  const clock = (BigInt(hours) * 3600n + BigInt(minutes) * 60n) * 1_000_000_000n;
  const sign = minus === '-' ? -1 : 1;
  return {
    months: sign * (Number(years) * 12 + Number(months)) + 0,
    days: sign * (Number(weeks) * 7 + Number(days)) + 0,
    nanos: BigInt(sign) * (clock + (secondsMinus === '-' ? -second : second)),
  };
}
