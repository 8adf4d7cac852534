/** Where and how to connect: the configuration's keys and the parts of its URL, made one. */
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { type PostgresConfig, SSL_MODES } from '../config.js';
import { pgErrors } from '../errors.js';

export type SslMode = (typeof SSL_MODES)[number];

export interface Endpoint {
  /** A name, an address, or the folder of a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
  /** Undefined: no encryption, unless the server insists on it. Only for loopback addresses and unix sockets. */
  readonly sslMode: SslMode | undefined;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly applicationName: string;
  readonly connectTimeout: number;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;

/** For messages: never the password. */
export function endpointText({ host, port, database, user }: Endpoint): string {
  const address = host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : `${host}:${port}`;
  return `${address}, database ${database}, user ${user}`;
}

/** Throws `SLUICE-PG-0023` when URL or files cannot be read. `cwd` is where relative paths start. */
export function resolveEndpoint(config: PostgresConfig, cwd: string): Endpoint {
  const url = config.url === undefined ? undefined : parseUrl(config.url);
  const parameter = (name: string) => url?.searchParams.get(name) ?? undefined;
  const host = config.host ?? parameter('host') ?? (bareHost(url?.hostname) || 'localhost');
  const user = config.user ?? (decode(url?.username) || 'postgres');
  const timeout = parameter('connect_timeout');
  const file = (path: string | undefined) => (path === undefined ? undefined : readPem(path, cwd));
  return {
    host,
    port: config.port ?? Number(url?.port || parameter('port') || 5432),
    user,
    database: config.database ?? (decode(url?.pathname.slice(1)) || user),
    password: config.password ?? (decode(url?.password) || undefined),
    sslMode: config.ssl?.mode ?? urlSslMode(parameter('sslmode')) ?? defaultSslMode(host),
    ca: file(config.ssl?.ca ?? parameter('sslrootcert')),
    cert: file(config.ssl?.cert ?? parameter('sslcert')),
    key: file(config.ssl?.key ?? parameter('sslkey')),
    applicationName: parameter('application_name') ?? 'sluice',
    connectTimeout:
      timeout === undefined ? config.connectTimeout : Number(timeout) * 1000 || config.connectTimeout,
  };
}

function defaultSslMode(host: string): SslMode | undefined {
  return host.startsWith('/') || LOOPBACK.test(host) ? undefined : 'verify-full';
}

const PARAMETERS = new Set([
  'host',
  'port',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'connect_timeout',
  'application_name',
]);

function parseUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw pgErrors.badConfig('url: this is no postgres:// URL');
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') {
    throw pgErrors.badConfig(`url: begins with ${url.protocol}// instead of postgres://`);
  }
  for (const name of url.searchParams.keys()) {
    if (!PARAMETERS.has(name)) {
      const known = [...PARAMETERS].join(', ');
      throw pgErrors.badConfig(`url: the parameter ${name} is not known; there are ${known}`);
    }
  }
  return url;
}

function bareHost(hostname: string | undefined): string {
  return decode(hostname)?.replace(/^\[(.*)\]$/, '$1') ?? '';
}

function decode(part: string | undefined): string | undefined {
  if (part === undefined) return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    throw pgErrors.badConfig(
      'url: a % stands without two hexadecimal digits behind it; write %25 for a percent sign',
    );
  }
}

function urlSslMode(mode: string | undefined): SslMode | undefined {
  if (mode === undefined) return undefined;
  const known = SSL_MODES.find((each) => each === mode);
  if (known === undefined) {
    throw pgErrors.badConfig(`url: sslmode=${mode} is not known; there are ${SSL_MODES.join(', ')}`);
  }
  return known;
}

function readPem(path: string, cwd: string): string {
  const full = isAbsolute(path) ? path : join(cwd, path);
  try {
    return readFileSync(full, 'utf8');
  } catch (cause) {
    throw pgErrors.badConfig(`ssl: the file ${full} cannot be read`, { cause });
  }
}
