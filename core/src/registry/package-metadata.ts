/** What a package says about its connector without being loaded: the `sluice` key of its package.json. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface ConnectorMetadata {
  /** The name in job files. */
  readonly connector: string;
  /** URL scheme → the configuration key that receives the URL. */
  readonly urls?: { readonly [scheme: string]: string };
  /** File ending (`.csv`, `.csv.gz`) → the configuration key that receives the path. */
  readonly files?: { readonly [ending: string]: string };
  /** On which side `-` means this connector: it reads standard input, or writes standard output. */
  readonly stdio?: 'source' | 'sink';
}

export interface InstalledConnector extends ConnectorMetadata {
  readonly package: string;
  readonly version: string;
  readonly description: string;
  /** Folder of the package. */
  readonly folder: string;
}

/** The keys of a package.json that matter here; other people's files may hold anything in them. */
interface PackageJson {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly description?: unknown;
  readonly main?: unknown;
  readonly exports?: unknown;
  readonly dependencies?: unknown;
  readonly sluice?: unknown;
}

/** A package.json, or undefined when there is none that can be read. */
export function readPackage(folder: string): PackageJson | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return isObject(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** The connector in a package folder, or undefined when the package is none. */
export function installedIn(folder: string): InstalledConnector | undefined {
  const found = readPackage(folder);
  if (found === undefined || typeof found.name !== 'string' || !isObject(found.sluice)) return undefined;
  const { connector, urls, files, stdio } = found.sluice;
  if (typeof connector !== 'string') return undefined;
  return {
    connector,
    ...(isObject(urls) && { urls: textsOf(urls) }),
    ...(isObject(files) && { files: textsOf(files) }),
    ...((stdio === 'source' || stdio === 'sink') && { stdio }),
    package: found.name,
    version: typeof found.version === 'string' ? found.version : '0.0.0',
    description: typeof found.description === 'string' ? found.description : '',
    folder,
  };
}

/** Names of the packages that the package in a folder depends on. */
export function dependenciesOf(folder: string): string[] {
  const { dependencies } = readPackage(folder) ?? {};
  return isObject(dependencies) ? Object.keys(dependencies) : [];
}

/** The folder of a package as Node's resolution finds it from `from`, without loading it. */
export function packageFolder(name: string, from: string): string | undefined {
  // Node's own list of places, which also knows of NODE_PATH.
  const places = createRequire(join(from, 'package.json')).resolve.paths(name) ?? [];
  return places.map((place) => join(place, name)).find((folder) => readPackage(folder) !== undefined);
}

/** The nearest folder with a package.json, at `from` or above. */
export function enclosingPackage(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (readPackage(folder) !== undefined) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

/** The file that `import` of a package loads (https://nodejs.org/api/packages.html, without sub-paths). */
export function entryOf(folder: string): string {
  const { exports, main } = readPackage(folder) ?? {};
  const target = exports === undefined ? main : targetOf(exports);
  return join(folder, typeof target === 'string' ? target : 'index.js');
}

const CONDITIONS = ['node', 'import', 'module-sync', 'default'];

/** The first target that fits, in the order in which the package lists them. */
function targetOf(exports: unknown): string | undefined {
  if (typeof exports === 'string') return exports;
  if (Array.isArray(exports)) return exports.map(targetOf).find((target) => target !== undefined);
  if (!isObject(exports)) return undefined;
  if ('.' in exports) return targetOf(exports['.']);
  for (const [condition, target] of Object.entries(exports)) {
    const found = CONDITIONS.includes(condition) ? targetOf(target) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textsOf(object: { readonly [key: string]: unknown }): { [key: string]: string } {
  const texts = Object.entries(object).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(texts.map(([key, text]) => [key.toLowerCase(), text]));
}
