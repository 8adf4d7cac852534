import { secret } from '@sluice/sdk';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { configSchema } from '../connectors/describe-connector.js';
import { separateSecrets } from './separate-secrets.js';

const schema = configSchema(
  z.strictObject({
    url: secret().optional(),
    token: secret().optional(),
    path: z.string().optional(),
    login: z.strictObject({ user: z.string(), password: secret() }).optional(),
  }),
);
const nameOf = (path: readonly string[]) => path.join('_').toUpperCase();

it('leaves names where secrets were, at any depth', () => {
  const connection = {
    connector: 'x',
    url: 'x://ann:pw-example@h/d',
    path: 'a',
    login: { user: 'ann', password: 'pw-example' },
  };
  expect(separateSecrets(connection, schema, nameOf)).toEqual({
    connection: {
      connector: 'x',
      url: '${env:URL}',
      path: 'a',
      login: { user: 'ann', password: '${env:LOGIN_PASSWORD}' },
    },
    secrets: { URL: 'x://ann:pw-example@h/d', LOGIN_PASSWORD: 'pw-example' },
  });
});

it('keeps what refers to a secret already', () => {
  const connection = { connector: 'x', token: '${file:token.txt}' };
  expect(separateSecrets(connection, schema, nameOf)).toEqual({ connection, secrets: {} });
});
