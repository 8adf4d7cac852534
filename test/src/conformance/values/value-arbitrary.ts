/** Values of a type by chance, seeded: beside the awkward ones, some that nobody thought of. */
import { formatDecimal, formatUuid, type LogicalType, type Value } from '@sluice/sdk';
import fc from 'fast-check';

/** Some values of a type; none for types whose values are few or have no natural spread. */
export function sampleValues(type: LogicalType, seed: number, count: number): Value[] {
  const arbitrary = arbitraryOf(type);
  return arbitrary === undefined ? [] : fc.sample(arbitrary, { seed, numRuns: count });
}

/** From year 1 to 9999: what lies outside is awkward, and stands in the matrix. */
const EARLIEST = -62_135_596_800_000_000n;
const LATEST = 253_402_300_799_999_999n;

function arbitraryOf(type: LogicalType): fc.Arbitrary<Value> | undefined {
  switch (type.kind) {
    case 'int':
      return intArbitrary(type.bits, type.signed);
    case 'float':
      return type.bits === 32 ? fc.float() : fc.double();
    case 'decimal': {
      const { precision = 30, scale = 10 } = type;
      const limit = 10n ** BigInt(precision) - 1n;
      return fc.bigInt({ min: -limit, max: limit }).map((unscaled) => formatDecimal(unscaled, scale));
    }
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: 60 });
    case 'bytes':
      return fc.uint8Array({ maxLength: 60 });
    case 'uuid':
      return fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => formatUuid(bytes));
    case 'date':
      return fc.integer({ min: -719_162, max: 2_932_896 });
    case 'time':
      return fc.bigInt({ min: 0n, max: 86_399_999_999n * (type.unit === 'us' ? 1n : 1000n) });
    case 'timestamp':
      if (type.zone === 'offset') return undefined;
      return type.unit === 'us'
        ? fc.bigInt({ min: EARLIEST, max: LATEST })
        : fc.bigInt({ min: -(1n << 62n), max: 1n << 62n });
    case 'json':
      // The document null is a case of its own.
      return type.text === 'raw' ? fc.json({ maxDepth: 2 }).filter((text) => text !== 'null') : undefined;
    case 'list': {
      const item = arbitraryOf(type.item.type);
      return item && fc.array(item, { maxLength: 5 });
    }
    default:
      return undefined;
  }
}

function intArbitrary(bits: 8 | 16 | 32 | 64, signed: boolean): fc.Arbitrary<Value> {
  const size = 1n << BigInt(bits);
  const range = signed ? { min: -size / 2n, max: size / 2n - 1n } : { min: 0n, max: size - 1n };
  const whole = fc.bigInt(range);
  return bits === 64 ? whole : whole.map(Number);
}
