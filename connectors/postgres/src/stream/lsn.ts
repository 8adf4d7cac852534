/** Places in the server's log: 64-bit numbers, written as two halves in hexadecimal: `16/B374D848`. */
import { pgErrors } from '../errors.js';

export type Lsn = bigint;

export function lsnText(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`.toUpperCase();
}

/** As text that sorts in the order of places: `00000016/B374D848`. */
export function sortedLsn(lsn: Lsn): string {
  const half = (value: bigint) => value.toString(16).padStart(8, '0');
  return `${half(lsn >> 32n)}/${half(lsn & 0xffff_ffffn)}`.toUpperCase();
}

/** Throws `SLUICE-PG-0041` for what is no place in a log. */
export function parseLsn(text: unknown): Lsn {
  const match = typeof text === 'string' ? /^([0-9a-f]{1,8})\/([0-9a-f]{1,8})$/i.exec(text) : null;
  if (match === null) throw pgErrors.badKeyValue(`${JSON.stringify(text)} is no place in the server's log`);
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}
