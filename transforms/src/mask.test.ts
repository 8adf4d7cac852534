import { createHmac } from 'node:crypto';
import { Batch, field, isSecret, Special, streamSchema, types, UNCHANGED, type Value } from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import { transforms } from './index.js';
import { applied, bindTransform, errorOf } from './testing.js';

const KEY = 'an example of a key';
const schema = streamSchema(
  'customers',
  [
    field('id', types.int64, { nullable: false }),
    field('email', types.string),
    field('phone', types.string),
    field('balance', types.decimal()),
    field('born', types.date),
    field('photo', types.bytes),
    field('place', types.struct([field('x', types.int32)])),
  ],
  ['id'],
);
const nothing = { email: null, phone: null, balance: null, born: null, photo: null, place: null };

async function masked(options: object, ...rows: { [column: string]: Value }[]) {
  const bound = await bindTransform('mask', schema, { key: KEY, ...options });
  const batch = Batch.ofRows(
    schema,
    rows.map((row, i) => ({ id: BigInt(i), ...nothing, ...row })),
  );
  return applied(bound, batch).rows();
}

/** As anybody can compute it who has the key. */
function digest(salt: string, text: string | Uint8Array, encoding: 'hex' | 'base64url' = 'hex'): string {
  const key = createHmac('sha256', KEY).update(salt).digest();
  return createHmac('sha256', key).update(text).digest(encoding);
}

describe('hmac', () => {
  it('is HMAC-SHA256 with a key for each column; null stays null, UNCHANGED stays UNCHANGED', async () => {
    const rows = await masked(
      { columns: { email: 'hmac', phone: 'hmac' } },
      { email: 'a@b.c', phone: 'a@b.c' },
      { email: null },
      { email: UNCHANGED },
      { email: 'ü'.repeat(100) },
    );
    expect(rows.map((row) => row['email'])).toEqual([
      digest('email', 'a@b.c'),
      null,
      UNCHANGED,
      digest('email', 'ü'.repeat(100)),
    ]);
    expect(rows[0]!['phone']).toBe(digest('phone', 'a@b.c'));
    expect(rows[0]!['phone']).not.toBe(rows[0]!['email']);
  });

  it('is equal across columns of one salt, and can be written shorter', async () => {
    const shared = { method: 'hmac', salt: 'person' };
    const rows = await masked(
      { columns: { email: shared, phone: shared }, encoding: 'base64url' },
      { email: 'x', phone: 'x' },
    );
    expect(rows[0]).toMatchObject({
      email: digest('person', 'x', 'base64url'),
      phone: digest('person', 'x', 'base64url'),
    });
  });

  it('takes the text of values of other types, and of decimals the number rather than its notation', async () => {
    const photo = Uint8Array.of(0, 255);
    const rows = await masked(
      { columns: { id: 'hmac', balance: 'hmac', born: 'hmac', photo: 'hmac' } },
      { balance: '1.50', born: 0, photo },
      { balance: '1.5' },
      { balance: new Special('NaN') },
    );
    expect(rows[0]).toMatchObject({
      id: digest('id', '0'),
      balance: digest('balance', '1.5'),
      born: digest('born', '1970-01-01'),
      photo: digest('photo', photo),
    });
    expect(rows[1]!['balance']).toBe(rows[0]!['balance']);
    expect(rows[2]!['balance']).toBe(digest('balance', 'NaN'));
  });

  it('keeps a key a key, also in before-images', async () => {
    const bound = await bindTransform('mask', schema, { key: KEY, columns: { id: 'hmac' } });
    expect(bound.out.key).toEqual(['id']);
    const before = Batch.ofRows(schema, [{ id: 7n, ...nothing }]);
    const made = applied(bound, Batch.ofRows(schema, [{ id: 8n, ...nothing }], { op: 'move', before }));
    expect([made.rows()[0]!['id'], made.before!.rows()[0]!['id']]).toEqual([
      digest('id', '8'),
      digest('id', '7'),
    ]);
  });

  it('needs a key of some length, which is secret', async () => {
    const error = await errorOf(() => bindTransform('mask', schema, { columns: { email: 'hmac' } }));
    expect(error.code).toBe('SLUICE-TRANSFORM-0012');
    await expect(
      bindTransform('mask', schema, { columns: { email: 'hmac' }, key: 'short' }),
    ).rejects.toThrow();
    const { shape } = transforms['mask']!.options as unknown as {
      shape: { key: Parameters<typeof isSecret>[0] };
    };
    expect(isSecret(shape.key)).toBe(true);
  });

  it('does not take nested values', async () => {
    const error = await errorOf(() =>
      bindTransform('mask', schema, { key: KEY, columns: { place: 'hmac' } }),
    );
    expect(error.code).toBe('SLUICE-TRANSFORM-0006');
  });
});

describe('redact', () => {
  it('puts one text or null into every row', async () => {
    const columns = {
      email: 'redact',
      phone: { method: 'redact', value: 'hidden' },
      born: 'redact',
      place: 'redact',
    };
    const rows = await masked(
      { columns },
      { email: 'a', phone: 'b', born: 3, place: { x: 1 } },
      {},
      { email: UNCHANGED },
    );
    expect(rows[0]).toMatchObject({ email: '***', phone: 'hidden', born: null, place: null });
    expect(rows[1]).toMatchObject({ email: '***', phone: 'hidden' });
    expect(rows[2]!['email']).toBe(UNCHANGED);
  });

  it('refuses keys, which it would merge', async () => {
    for (const method of ['redact', 'partial']) {
      expect((await errorOf(() => bindTransform('mask', schema, { columns: { id: method } }))).code).toBe(
        'SLUICE-TRANSFORM-0004',
      );
    }
  });
});

describe('partial', () => {
  it('keeps the ends, and nothing of what is too short to hide anything', async () => {
    const columns = { phone: { method: 'partial', first: 2, last: 3, fill: '…' }, email: 'partial' };
    const rows = await masked(
      { columns },
      { phone: '+49123456789', email: 'ada@x.org' },
      { phone: '12345' },
      { phone: '𝄞ü3456' },
      {},
    );
    expect(rows.map((row) => row['phone'])).toEqual(['+4…789', '…', '𝄞ü…456', null]);
    expect(rows[0]!['email']).toBe('a***');
  });

  it('takes the text of numbers', async () => {
    const rows = await masked(
      { columns: { balance: { method: 'partial', last: 2 } } },
      { balance: '123.45' },
    );
    expect(rows[0]!['balance']).toBe('***45');
  });
});
