import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseDotenv } from './dotenv.js';
import { dotenvLine } from './dotenv-line.js';

const value = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[\\"'$ #\n\r\t{}a=]*$/));

it('is read back as the same value', () => {
  fc.assert(
    fc.property(value, value, (one, two) => {
      const text = `${dotenvLine('ONE', one)}${dotenvLine('TWO_2', two)}`;
      expect(parseDotenv(text)).toEqual({ values: { ONE: one, TWO_2: two }, skipped: [] });
    }),
  );
});
