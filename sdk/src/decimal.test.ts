import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fitsPrecision,
  formatDecimal,
  parseDecimal,
  powerOfTen,
  readInt128,
  writeInt128,
} from './decimal.js';

const unscaled = fc.oneof(
  fc.bigInt({ min: -1000n, max: 1000n }),
  fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }),
);
const scale = fc.integer({ min: 0, max: 40 });

describe('decimals', () => {
  it('survive being written and read', () => {
    fc.assert(
      fc.property(unscaled, scale, (n, s) => {
        expect(parseDecimal(formatDecimal(n, s), s)).toBe(n);
      }),
    );
  });

  it('are written with exactly their scale, as the same number', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(10 ** 9), max: 10 ** 9 }), fc.integer({ min: 0, max: 6 }), (n, s) => {
        const text = formatDecimal(BigInt(n), s);
        expect(text).toMatch(s === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${s}}$`));
        expect(Number(text)).toBe(Number(`${n}e-${s}`));
      }),
    );
  });

  it('are read in any notation that JavaScript writes a number in', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }), (n) => {
        const read = parseDecimal(String(n), 400)!;
        expect(Number(formatDecimal(read, 400))).toBe(n === 0 ? 0 : n);
      }),
    );
  });

  it.each<[string, number, bigint]>([
    ['.5', 1, 5n],
    ['5.', 0, 5n],
    ['+7', 0, 7n],
    ['-0.00', 2, 0n],
    [' 12.30 ', 2, 1230n],
    ['12.3000', 1, 123n],
    ['1e3', 0, 1000n],
    ['1.5E-3', 4, 15n],
    ['1200e-2', 0, 12n],
    ['0e-99999', 0, 0n],
  ])('%j at scale %d is %d', (text, s, expected) => {
    expect(parseDecimal(text, s)).toBe(expected);
  });

  it.each<[string, number]>([
    ['', 0],
    ['.', 0],
    ['-', 0],
    ['1.25', 1],
    ['1e-1', 0],
    ['NaN', 0],
    ['Infinity', 0],
    ['1,5', 1],
    ['0x10', 0],
    ['1e', 0],
    ['1 2', 0],
  ])('%j cannot be read at scale %d', (text, s) => {
    expect(parseDecimal(text, s)).toBeUndefined();
  });

  it('fit a precision by their digits', () => {
    fc.assert(
      fc.property(unscaled, fc.integer({ min: 1, max: 61 }), (n, precision) => {
        const digits = (n < 0n ? -n : n).toString().length;
        expect(fitsPrecision(n, precision)).toBe(digits <= precision);
      }),
    );
    expect(powerOfTen(30)).toBe(10n ** 30n);
  });
});

describe('128-bit integers', () => {
  it('survive being written and read at any place', () => {
    const limit = 2n ** 127n;
    fc.assert(
      fc.property(fc.bigInt({ min: -limit, max: limit - 1n }), fc.nat(9), (n, at) => {
        const bytes = new Uint8Array(32).fill(0xaa);
        writeInt128(bytes.subarray(1), at, n);
        expect(readInt128(bytes.subarray(1), at)).toBe(n);
        expect([bytes[at], bytes[at + 17]]).toEqual([0xaa, 0xaa]);
      }),
    );
  });

  it('are little endian in two’s complement', () => {
    const bytes = new Uint8Array(16);
    writeInt128(bytes, 0, -2n);
    expect([...bytes]).toEqual([0xfe, ...new Array(15).fill(0xff)]);
  });
});
