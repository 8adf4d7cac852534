/** Keys of a postgres connection. */
import { secret } from '@sluice/sdk';
import { z } from 'zod';

export const SSL_MODES = ['disable', 'prefer', 'require', 'verify-full'] as const;

const ssl = z.strictObject({
  mode: z
    .enum(SSL_MODES)
    .optional()
    .describe(
      '`verify-full` encrypts and checks certificate and name (default); `require` encrypts without checking; ' +
        '`prefer` does so where the server can; `disable` does not. For loopback addresses and unix sockets ' +
        'the default is no encryption unless the server insists on it',
    ),
  ca: z
    .string()
    .optional()
    .describe('PEM file of the certificate authorities to trust instead of those that Node.js trusts'),
  cert: z.string().optional().describe('PEM file of the client certificate'),
  key: z.string().optional().describe("PEM file of the client certificate's key"),
});

const milliseconds = z.number().int().positive();

export const postgresConfig = z
  .strictObject({
    url: secret()
      .optional()
      .describe(
        'postgres://user:password@host:port/database; parameters: sslmode, sslrootcert, sslcert, sslkey, ' +
          'connect_timeout, application_name, host (folder of a unix socket)',
      ),
    host: z
      .string()
      .optional()
      .describe('Name or address, or the folder of a unix socket (default localhost)'),
    port: z.number().int().min(1).max(65535).optional().describe('Default 5432'),
    database: z.string().min(1).optional().describe('Default: the name of the user'),
    user: z.string().min(1).optional().describe('Default postgres'),
    password: secret().optional().describe('Password of the user'),
    ssl: ssl.optional().describe('Encryption of the connection'),
    connectTimeout: milliseconds
      .default(15_000)
      .describe('Milliseconds within which a connection must be made'),
    statementTimeout: milliseconds
      .optional()
      .describe('Milliseconds after which the server cancels a statement; by default what the role has'),
    lockTimeout: milliseconds
      .default(60_000)
      .describe('Milliseconds to wait for a lock; also for commits of an earlier run that are still landing'),
    schema: z
      .string()
      .min(1)
      .default('public')
      .describe('Schema of tables that are named without one, and of our own tables (_sluice_…)'),
    parallel: z.number().int().min(1).max(64).default(4).describe('Connections that may write at once'),
    splitBytes: z
      .number()
      .int()
      .min(8192)
      .default(64 * 1024 * 1024)
      .describe('Bytes of a table that are read as one split'),
    slot: z
      .string()
      .regex(/^[a-z0-9_]{1,63}$/)
      .optional()
      .describe(
        'Replication slot that keeps the log for mode cdc, one for each flow; made where there is none (default: one called after job and flow)',
      ),
    publication: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Publication of the tables that mode cdc reads; made where there is none. One that is named here is never changed (default: one called after job and flow)',
      ),
  })
  .describe('A PostgreSQL database, version 12 or newer');

export type PostgresConfig = z.infer<typeof postgresConfig>;
