import { expect, it } from 'vitest';
import { postgresConfig } from '../config.js';
import { endpointText, resolveEndpoint } from './endpoint.js';

const resolve = (config: object) => resolveEndpoint(postgresConfig.parse(config), '/');

it('reads everything from a URL', () => {
  const url =
    'postgresql://me%40home:p%3Ass@db.example:6432/sh%20op?sslmode=require&application_name=mine&connect_timeout=3';
  expect(resolve({ url })).toMatchObject({
    host: 'db.example',
    port: 6432,
    user: 'me@home',
    password: 'p:ss',
    database: 'sh op',
    sslMode: 'require',
    applicationName: 'mine',
    connectTimeout: 3000,
  });
});

it('lets keys win over the URL', () => {
  const url = 'postgres://me:one@db.example/shop?sslmode=disable';
  const keys = {
    host: 'other',
    port: 1,
    user: 'you',
    password: 'two',
    database: 'lake',
    ssl: { mode: 'prefer' },
  };
  expect(resolve({ url, ...keys })).toMatchObject({
    host: 'other',
    port: 1,
    user: 'you',
    password: 'two',
    database: 'lake',
    sslMode: 'prefer',
  });
});

it.for([
  [{}, 'localhost', undefined],
  [{ host: '127.0.0.1' }, '127.0.0.1', undefined],
  [{ url: 'postgres://[::1]/x' }, '::1', undefined],
  [{ url: 'postgres:///x?host=/run/postgresql' }, '/run/postgresql', undefined],
  [{ host: 'db.example' }, 'db.example', 'verify-full'],
  [{ host: '127.example' }, '127.example', 'verify-full'],
] as const)('encrypts and verifies by default, but for this machine: %o', ([config, host, sslMode]) => {
  expect(resolve(config)).toMatchObject({ host, sslMode });
});

it('calls user and database by their defaults', () => {
  expect(resolve({ host: 'h' })).toMatchObject({
    user: 'postgres',
    database: 'postgres',
    port: 5432,
    password: undefined,
  });
  expect(resolve({ host: 'h', user: 'me' })).toMatchObject({ user: 'me', database: 'me' });
});

it.for([
  ['mysql://h/x', 'postgres://'],
  ['postgres://h/x?target_session_attrs=any', 'target_session_attrs'],
  ['postgres://h/x?sslmode=maybe', 'sslmode=maybe'],
  ['postgres://me:100%@h/x', '%25'],
  ['not a url', 'no postgres:// URL'],
  ['postgres://h/x?sslrootcert=/no/such.pem', '/no/such.pem'],
])('refuses %s', ([url, why]) => {
  expect(() => resolve({ url })).toThrow(
    expect.objectContaining({ code: 'SLUICE-PG-0023', message: expect.stringContaining(why!) }),
  );
});

it('never shows the password', () => {
  expect(endpointText(resolve({ url: 'postgres://me:hidden@h/x' }))).toBe('h:5432, database x, user me');
});

it('refuses keys that it does not know', () => {
  expect(() => postgresConfig.parse({ hots: 'x' })).toThrow();
});
