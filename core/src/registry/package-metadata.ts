/** What a package says about its connector without being loaded: the `sluice` key of its package.json. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface ConnectorMetadata {
  /** The name in job files. */
  readonly connector: string;
  /** URL scheme → the configuration key that receives the URL. */
  readonly urls?: { readonly [scheme: string]: string };
  /** File ending (`.csv`, `.csv.gz`) → the configuration key that receives the path. */
  readonly files?: { readonly [ending: string]: string };
}

export interface InstalledConnector extends ConnectorMetadata {
  readonly package: string;
  readonly version: string;
  readonly description: string;
  /** Folder of the package. */
  readonly folder: string;
}

interface PackageJson {
  readonly name?: string;
  readonly version?: string;
  readonly description?: string;
  readonly dependencies?: { readonly [name: string]: string };
  readonly sluice?: ConnectorMetadata;
}

/** A package.json, or undefined when there is none that can be read. */
export function readPackage(folder: string): PackageJson | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageJson;
  } catch {
    return undefined;
  }
}

/** The connector in a package folder, or undefined when the package is none. */
export function installedIn(folder: string): InstalledConnector | undefined {
  const found = readPackage(folder);
  if (found?.name === undefined || found.sluice?.connector === undefined) return undefined;
  const { name, version = '0.0.0', description = '', sluice } = found;
  return { ...sluice, package: name, version, description, folder };
}

/** The folder of a package as Node's resolution finds it from `from`, without loading it. */
export function packageFolder(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (readPackage(candidate) !== undefined) return candidate;
    if (dirname(folder) === folder) return undefined;
  }
}

/** The nearest folder with a package.json, at `from` or above. */
export function enclosingPackage(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (readPackage(folder) !== undefined) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}
