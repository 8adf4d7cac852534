/** Which connector a URL or path stands for, by what packages say in their metadata. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nearestName } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import type { InstalledConnector } from './package-metadata.js';

/** A connection as a job file would have it. */
export type LocatedConnection = { readonly connector: string } & { readonly [key: string]: string };

/**
 * The connection that a location means: a URL by its scheme; a path, glob or folder by the longest file ending that
 * fits; the name of a connector that needs no location. `-` is standard input on the reading side and standard
 * output on the writing side. Throws `SLUICE-CORE-0013`, which never repeats a URL.
 */
export function connectionAt(
  location: string,
  side: 'source' | 'sink',
  installed: readonly InstalledConnector[],
  cwd: string,
): LocatedConnection {
  if (location === '-') return standardStream(side, installed);
  const [, scheme, slashes] = /^([a-z][a-z0-9+.-]+):(\/\/)?/i.exec(location) ?? [];
  // A file may be called a:b; only what looks like a URL, or is one that a connector knows, is taken for one.
  const known = scheme !== undefined && takes(installed, scheme.toLowerCase());
  if (scheme !== undefined && (known || slashes !== undefined)) {
    return byScheme(location, scheme.toLowerCase(), installed, cwd);
  }
  const found = byPath(location, installed, cwd) ?? byName(location, installed);
  if (found !== undefined) return found;
  throw coreErrors.locationUnknown(`nothing that is installed knows what ${location} is`, {
    help: `Known endings: ${endings(installed).join(', ')}. Known URLs: ${schemes(installed).join(', ')}.`,
  });
}

function standardStream(
  side: 'source' | 'sink',
  installed: readonly InstalledConnector[],
): LocatedConnection {
  const found = installed.find(({ stdio }) => stdio === side);
  if (found !== undefined) return { connector: found.connector };
  throw coreErrors.locationUnknown(
    `no installed connector ${side === 'source' ? 'reads standard input' : 'writes standard output'}`,
  );
}

function takes(installed: readonly InstalledConnector[], scheme: string): boolean {
  return installed.some(({ connector, urls }) => connector === scheme || urls?.[scheme] !== undefined);
}

function byScheme(
  url: string,
  scheme: string,
  installed: readonly InstalledConnector[],
  cwd: string,
): LocatedConnection {
  if (scheme === 'file') {
    const found = byPath(pathOfUrl(url), installed, cwd);
    if (found !== undefined) return found;
  }
  for (const { connector, urls } of installed) {
    const key = urls?.[scheme];
    if (key !== undefined) return { connector, [key]: scheme === 'file' ? pathOfUrl(url) : url };
  }
  const named = byName(scheme, installed);
  if (named !== undefined) return named;
  const near = nearestName(scheme, schemes(installed));
  throw coreErrors.locationUnknown(
    `no installed connector takes ${scheme}: URLs${near ? `; did you mean ${near}:?` : ''}`,
    {
      help: `Known URLs: ${schemes(installed).join(', ')}. Connectors are packages: install the one for this system.`,
    },
  );
}

function pathOfUrl(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw coreErrors.locationUnknown(`a file: URL cannot be read: ${(error as Error).message}`, {
      help: 'Write the path itself.',
    });
  }
}

/** A path by its ending; without one, a folder is a set of files. */
function byPath(
  path: string,
  installed: readonly InstalledConnector[],
  cwd: string,
): LocatedConnection | undefined {
  let best: { ending: string; connector: string; key: string } | undefined;
  for (const { connector, files } of installed) {
    for (const [ending, key] of Object.entries(files ?? {})) {
      const isLonger = ending.length > (best?.ending.length ?? 0);
      if (isLonger && path.toLowerCase().endsWith(ending)) best = { ending, connector, key };
    }
  }
  if (best !== undefined) return { connector: best.connector, [best.key]: path };
  const isFolder =
    /[\\/]$/.test(path) || statSync(resolve(cwd, path), { throwIfNoEntry: false })?.isDirectory();
  const files = installed.find(({ urls }) => urls?.['file'] !== undefined);
  return isFolder && files ? { connector: files.connector, [files.urls!['file']!]: path } : undefined;
}

function byName(name: string, installed: readonly InstalledConnector[]): LocatedConnection | undefined {
  const found = installed.find(({ connector }) => connector === name);
  return found && { connector: found.connector };
}

function endings(installed: readonly InstalledConnector[]): string[] {
  return installed.flatMap(({ files }) => Object.keys(files ?? {}));
}

function schemes(installed: readonly InstalledConnector[]): string[] {
  return installed.flatMap(({ urls }) => Object.keys(urls ?? {}));
}
