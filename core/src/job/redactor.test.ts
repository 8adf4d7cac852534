import { SluiceError, sdkErrors } from '@sluice/sdk';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Redactor } from './redactor.js';

function knowing(...secrets: string[]): Redactor {
  const redactor = new Redactor();
  for (const secret of secrets) redactor.add(secret);
  return redactor;
}

it('takes a secret out of any text, wherever it stands', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 4, unit: 'grapheme' }),
      fc.string(),
      fc.string(),
      (secret, before, after) => {
        fc.pre(
          secret.trim().length >= 4 && !'***'.includes(secret) && !['true', 'false', 'null'].includes(secret),
        );
        const redactor = knowing(secret);
        for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret)]) {
          expect(redactor.redact(`${before}|${form}|${after}`)).not.toContain(secret);
        }
      },
    ),
    { numRuns: 500 },
  );
});

it('hides a password inside a URL of an error message, encoded or not', () => {
  const redactor = knowing('postgres://shop:p%40ss%2Fword@db.internal:5432/shop?sslmode=require');
  expect(
    redactor.redact('cannot connect to postgres://shop:p%40ss%2Fword@db.internal:5432/shop?sslmode=require'),
  ).toBe('cannot connect to ***');
  expect(redactor.redact('postgres://shop:p%40ss%2Fword@db.internal refused')).toBe(
    'postgres://shop:***@db.internal refused',
  );
  expect(redactor.redact('password "p@ss/word" is wrong')).toBe('password "***" is wrong');
  const token = knowing('https://api.example.com/v1?access_token=abcdef123&page=2');
  expect(token.redact('GET /v1?access_token=abcdef123&page=3 failed')).toBe(
    'GET /v1?access_token=***&page=3 failed',
  );
});

it('knows the password of a URL that is not secret as a whole', () => {
  const redactor = new Redactor();
  redactor.addCredentials('mysql://root:hunter22@localhost/db');
  redactor.addCredentials('not a url with a : colon @ sign');
  expect(redactor.redact('mysql://root:hunter22@localhost/db')).toBe('mysql://root:***@localhost/db');
});

it('prefers the longest secret, so that none shows through', () => {
  expect(knowing('secret', 'secret-longer').redact('x secret-longer y secret z')).toBe('x *** y *** z');
});

it('takes short values out only where they stand alone', () => {
  const redactor = knowing('ab', 'x', '');
  expect(redactor.redact('table fab has x columns')).toBe('table fab has x columns');
  expect(redactor.redact('password "ab" refused, user=x, postgres://x:ab@h')).toBe(
    'password "***" refused, user=***, postgres://x:***@h',
  );
});

it('leaves words alone that tell nothing', () => {
  expect(knowing('true', 'null', '   ').redact('true null    ')).toBe('true null    ');
});

it('hides the lines of a key file one by one', () => {
  const key = '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nshort\n-----END PRIVATE KEY-----';
  expect(knowing(key).redact('bad line MIIEvQIBADANBgkqhkiG9w0 in key')).toBe('bad line *** in key');
  expect(knowing(key).redact(JSON.stringify({ key }))).toBe('{"key":"***"}');
});

it('cleans an error with everything that hangs on it, and keeps its code', () => {
  const redactor = knowing('hunter22');
  const inner = Object.assign(new Error('driver: hunter22'), { detail: 'user hunter22' });
  const error = sdkErrors.configInvalid('url hunter22 refused', {
    cause: new Error('outer hunter22', { cause: inner }),
    help: 'check hunter22',
    details: { url: ['x', { y: 'hunter22' }] },
    retryAfterMs: 7,
  });
  const clean = redactor.redactError(error);
  expect(clean).toBeInstanceOf(SluiceError);
  expect(clean).toMatchObject({
    code: error.code,
    class: 'config',
    message: 'url *** refused',
    help: 'check ***',
  });
  expect(clean).toMatchObject({ details: { url: ['x', { y: '***' }] }, retryAfterMs: 7 });
  const seen: string[] = [];
  for (let each: unknown = clean; each instanceof Error; each = each.cause) {
    seen.push(`${each.message} ${each.stack} ${JSON.stringify(each)}`);
  }
  expect(seen).toHaveLength(3);
  expect(seen.join('\n')).not.toContain('hunter22');
});

it('leaves an error that tells nothing as it is', () => {
  const error = sdkErrors.configInvalid('plain', { cause: new Error('plain too') });
  expect(knowing('hunter22').redactError(error)).toBe(error);
});

it('cleans an error that only its cause makes secret', () => {
  const cause = Object.assign(new Error('refused'), { detail: 'user hunter22' });
  const clean = knowing('hunter22').redactError(new Error('failed', { cause }));
  expect(JSON.stringify([clean.cause, Object.values(clean.cause as object)])).not.toContain('hunter22');
});
