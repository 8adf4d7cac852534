import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnOf } from './column-build.js';
import {
  bitmapBytes,
  clearBit,
  columnBytes,
  filledBitmap,
  getBit,
  isValid,
  nullCount,
  setBit,
} from './layout.js';
import { slice } from './take.js';
import { field, int32, nullType, string } from './types.js';

describe('bitmaps', () => {
  it('hold what an array of booleans holds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { maxLength: 70 }),
        fc.array(fc.tuple(fc.nat(69), fc.boolean())),
        (start, writes) => {
          const bools = start.slice();
          const bits = new Uint8Array(bitmapBytes(bools.length));
          for (const [i, bit] of bools.entries()) if (bit) setBit(bits, i);
          for (const [i, bit] of writes.filter(([at]) => at < bools.length)) {
            bools[i] = bit;
            if (bit) setBit(bits, i);
            else clearBit(bits, i);
          }
          expect(bools.map((_, i) => getBit(bits, i))).toEqual(bools);
        },
      ),
    );
  });

  it('that are filled have no bit behind their length', () => {
    for (let length = 0; length < 40; length++) {
      const bits = filledBitmap(length);
      expect(bits.length).toBe(Math.ceil(length / 8));
      const set = Array.from({ length: bits.length * 8 }, (_, i) => getBit(bits, i));
      expect(set).toEqual(set.map((_, i) => i < length));
    }
  });
});

describe('nulls', () => {
  it('are counted and told', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 9 }))), (values) => {
        const column = columnOf(field('v', int32), values);
        expect(nullCount(column)).toBe(values.filter((v) => v === null).length);
        expect(values.map((_, i) => isValid(column, i))).toEqual(values.map((v) => v !== null));
      }),
    );
    const nothing = columnOf(field('v', nullType), [null, null]);
    expect([nullCount(nothing), isValid(nothing, 0)]).toEqual([2, false]);
  });
});

describe('the size of a column', () => {
  it('is that of its buffers, and of the part that it views', () => {
    expect(columnBytes(columnOf(field('v', int32), [1, 2, 3, 4]))).toBe(16);
    const text = columnOf(field('v', string), ['abc', 'de', 'fghi']);
    expect(columnBytes(text)).toBe(4 * 4 + 9);
    expect(columnBytes(slice(text, 1, 2))).toBe(2 * 4 + 2);
  });
});
