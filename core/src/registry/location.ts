/** Which connector a URL or path stands for, by what packages say in their metadata. */
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { nearestName } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import type { InstalledConnector } from './package-metadata.js';

/** A connection as a job file would have it. */
export type LocatedConnection = { readonly connector: string } & { readonly [key: string]: string };

/**
 * The connection that a location means: a URL by its scheme, a path, glob or folder by the longest file ending that
 * fits. `-` is standard input on the reading side and standard output on the writing side.
 */
export function connectionAt(
  location: string,
  side: 'source' | 'sink',
  installed: readonly InstalledConnector[],
  cwd: string,
): LocatedConnection {
  if (location === '-') return { connector: side === 'source' ? 'stdin' : 'stdout' };
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(location)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme.length > 1) return byScheme(location, scheme, installed);
  const found = byEnding(location, installed) ?? byFolder(location, installed, cwd);
  if (found !== undefined) return found;
  const bare = installed.find(({ connector }) => connector === location);
  if (bare !== undefined) return { connector: bare.connector };
  throw coreErrors.locationUnknown(`nothing installed reads or writes ${location}`, {
    help: `Known endings: ${endings(installed).join(', ')}. Known URLs: ${schemes(installed).join(', ')}.`,
  });
}

function byScheme(url: string, scheme: string, installed: readonly InstalledConnector[]): LocatedConnection {
  for (const { connector, urls } of installed) {
    const key = urls?.[scheme];
    if (key !== undefined) return { connector, [key]: scheme === 'file' ? decodeURIComponent(new URL(url).pathname) : url };
  }
  const bare = installed.find(({ connector }) => connector === scheme);
  if (bare !== undefined) return { connector: bare.connector };
  const near = nearestName(scheme, schemes(installed));
  throw coreErrors.locationUnknown(`no installed connector takes ${scheme}: URLs${near ? `; did you mean "${near}"?` : ''}`);
}

function byEnding(path: string, installed: readonly InstalledConnector[]): LocatedConnection | undefined {
  let best: { ending: string; connector: string; key: string } | undefined;
  for (const { connector, files } of installed) {
    for (const [ending, key] of Object.entries(files ?? {})) {
      if (path.toLowerCase().endsWith(ending) && ending.length > (best?.ending.length ?? 0)) best = { ending, connector, key };
    }
  }
  return best && { connector: best.connector, [best.key]: path };
}

/** A folder, or a path that ends like one, is a set of files. */
function byFolder(path: string, installed: readonly InstalledConnector[], cwd: string): LocatedConnection | undefined {
  const full = resolve(cwd, path);
  const isFolder = /[\\/]$/.test(path) || (existsSync(full) && statSync(full).isDirectory());
  const files = installed.find(({ urls }) => urls?.['file'] !== undefined);
  return isFolder && files ? { connector: files.connector, [files.urls!['file']!]: path } : undefined;
}

function endings(installed: readonly InstalledConnector[]): string[] {
  return installed.flatMap(({ files }) => Object.keys(files ?? {}));
}

function schemes(installed: readonly InstalledConnector[]): string[] {
  return installed.flatMap(({ urls }) => Object.keys(urls ?? {}));
}
