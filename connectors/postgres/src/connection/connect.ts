/** Connects and logs in through `pg`, and says in coded errors why that failed. */
import { connect as connectSocket, type Socket } from 'node:net';
import { type Context, isSluiceError, type SluiceError } from '@sluice/sdk';
import { pgErrors } from '../errors.js';
import { type Endpoint, endpointText, type SslMode } from './endpoint.js';
import { cancelMessage } from './messages.js';
import { serverError } from './server-error.js';
import { Session } from './session.js';
import { PlainSocket, takeEncrypted } from './socket.js';

/** What of a `pg` client is used beyond its types. */
interface LoggedIn {
  readonly processID: number;
  readonly secretKey: number;
  readonly connection: {
    /** Another one once the connection is encrypted. */
    readonly stream: Socket;
    on(event: 'parameterStatus', listener: (status: ParameterStatus) => void): void;
  };
}

interface ParameterStatus {
  readonly parameterName: string;
  readonly parameterValue: string;
}

const KEEP_ALIVE_MS = 30_000;

/** How values look as text, whatever role and database have configured. */
const SETTINGS = [
  "SET client_encoding = 'UTF8'",
  'SET standard_conforming_strings = on',
  "SET DateStyle = 'ISO, MDY'",
  "SET IntervalStyle = 'postgres'",
  "SET TimeZone = 'UTC'",
  'SET extra_float_digits = 3',
  "SET bytea_output = 'hex'",
  // Amounts of money look alike on both sides, whatever currency the databases are set to.
  "SET lc_monetary = 'C'",
  'SET xmloption = content',
].join('; ');

/** What a connection is for: statements, or reading the server's log, where statements stay simple ones. */
export type Purpose = 'sql' | 'replication';

/** A session on a new connection; `setup` are statements to begin with. Aborting the context ends the attempt. */
export async function connect(
  endpoint: Endpoint,
  c: Context,
  setup = '',
  purpose: Purpose = 'sql',
): Promise<Session> {
  const session = await logIn(endpoint, c, purpose);
  try {
    await session.query(setup === '' ? SETTINGS : `${SETTINGS}; ${setup}`);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Tries what the encryption mode allows, in order. */
async function logIn(endpoint: Endpoint, c: Context, purpose: Purpose): Promise<Session> {
  switch (endpoint.sslMode) {
    case undefined:
      return attempt(endpoint, c, 'disable', purpose).catch((error: unknown) => {
        if (!wantsEncryption(error)) throw error;
        return attempt(endpoint, c, 'require', purpose);
      });
    case 'prefer':
      return attempt(endpoint, c, 'require', purpose).catch((error: unknown) => {
        if (!isSluiceError(error) || error.code !== pgErrors.tlsRefused.entry.code) throw error;
        return attempt(endpoint, c, 'disable', purpose);
      });
    default:
      return attempt(endpoint, c, endpoint.sslMode, purpose);
  }
}

/** The server has answered that it takes this user only over TLS. */
function wantsEncryption(error: unknown): boolean {
  return (
    isSluiceError(error) &&
    error.code === pgErrors.loginRefused.entry.code &&
    /no encryption|SSL off/.test(error.message)
  );
}

async function attempt(endpoint: Endpoint, c: Context, mode: SslMode, purpose: Purpose): Promise<Session> {
  c.signal.throwIfAborted();
  const { default: pg } = await import('pg');
  const plain = mode === 'disable' ? new PlainSocket() : undefined;
  const { host, port, database, user, applicationName } = endpoint;
  const client = new pg.Client({
    host,
    port,
    database,
    user,
    password: () => endpoint.password ?? passwordMissing(endpoint),
    application_name: applicationName,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    connectionTimeoutMillis: endpoint.connectTimeout,
    ...(purpose === 'replication' && { replication: 'database' }),
    ssl: plain === undefined ? tlsOptions(endpoint, mode) : false,
    ...(plain !== undefined && { stream: () => plain.socket }),
  });
  // After login, socket errors are the session's business.
  client.on('error', () => {});
  const { connection } = client as unknown as LoggedIn;
  const stop = () => connection.stream.destroy();
  let version = 0;
  connection.on('parameterStatus', (status: ParameterStatus) => {
    if (status.parameterName === 'server_version') version = versionNumber(status.parameterValue);
  });
  c.signal.addEventListener('abort', stop, { once: true });
  try {
    await client.connect();
  } catch (error) {
    stop();
    throw loginError(error, endpoint);
  } finally {
    c.signal.removeEventListener('abort', stop);
  }
  const { processID, secretKey } = client as unknown as LoggedIn;
  const wire = plain === undefined ? takeEncrypted(connection.stream) : plain.taken();
  return new Session(
    wire,
    endpointText(endpoint),
    () => cancel(endpoint, processID, secretKey),
    version,
    processID,
  );
}

/** `15.4 (Debian 15.4-1)` → 150004, `18beta1` → 180000. */
function versionNumber(text: string): number {
  const [, major = '0', minor = '0'] = /^(\d+)(?:\.(\d+))?/.exec(text) ?? [];
  return Number(major) * 10_000 + Number(minor);
}

function passwordMissing(endpoint: Endpoint): never {
  throw pgErrors.wrongPassword(
    `${endpointText(endpoint)}: the server asks for a password, and none is configured`,
  );
}

function tlsOptions(endpoint: Endpoint, mode: SslMode) {
  const { ca, cert, key } = endpoint;
  return {
    rejectUnauthorized: mode === 'verify-full',
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

/** Best effort, and over a connection that carries nothing else: a cancel request is never answered. */
function cancel({ host, port }: Endpoint, processId: number, secretKey: number): void {
  const socket = host.startsWith('/') ? connectSocket(`${host}/.s.PGSQL.${port}`) : connectSocket(port, host);
  socket.on('error', () => {});
  socket.once('connect', () => socket.end(cancelMessage(processId, secretKey)));
  socket.setTimeout(2000, () => socket.destroy());
  socket.unref();
}

interface LoginFailure {
  readonly message?: string;
  readonly code?: string;
  readonly severity?: string;
  readonly detail?: string;
  readonly hint?: string;
}

function loginError(error: unknown, endpoint: Endpoint): SluiceError {
  if (isSluiceError(error)) return error;
  const where = endpointText(endpoint);
  const { code = '', message = '', severity, detail, hint } = error as LoginFailure;
  if (severity !== undefined) {
    const fields = { C: code, M: message, ...(detail && { D: detail }), ...(hint && { H: hint }) };
    return serverError(fields, where);
  }
  const told =
    (error as { errors?: readonly Error[] }).errors?.map((each) => each.message).join('; ') ?? message;
  const options = { cause: error };
  if (code === 'ENOTFOUND') return pgErrors.unknownHost(`${where}: ${told}`, options);
  if (/does not support SSL/.test(message)) return pgErrors.tlsRefused(`${where}: ${message}`, options);
  if (isCertificateError(code, message)) return pgErrors.tlsUntrusted(`${where}: ${message}`, options);
  if (/^SASL|password/i.test(message)) return pgErrors.wrongPassword(`${where}: ${message}`, options);
  return pgErrors.unreachable(`${where}: ${told || code}`, options);
}

function isCertificateError(code: string, message: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code) || /certificate|altname/i.test(message);
}
