/** Finds connectors by name at run time, so that one written outside is no second-class citizen. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Connector, nearestName } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import { enclosingPackage, type InstalledConnector, installedIn, packageFolder, readPackage } from './package-metadata.js';

const SCOPE = '@sluice/';
const PREFIX = 'connector-';

export interface RegistryOptions {
  /** Folders to look from, in order: the job's folder, then where the command line is installed. */
  readonly roots: readonly string[];
}

export class Registry {
  private readonly loaded = new Map<string, Promise<Connector>>();
  private found: readonly InstalledConnector[] | undefined;

  constructor(private readonly options: RegistryOptions) {}

  /**
   * Loads a connector: `postgres` → `@sluice/connector-postgres`; `./mine` or an absolute path → a module file or
   * package folder; any npm name. Throws `SLUICE-CORE-0004` with the command that installs it, or `0005`.
   */
  connector(name: string): Promise<Connector> {
    let loading = this.loaded.get(name);
    if (loading === undefined) {
      loading = this.load(name);
      this.loaded.set(name, loading);
    }
    return loading;
  }

  /** The installed connectors, without loading any. */
  list(): readonly InstalledConnector[] {
    this.found ??= this.scan();
    return this.found;
  }

  private async load(name: string): Promise<Connector> {
    const file = this.entryOf(name);
    let exported: unknown;
    try {
      exported = await import(pathToFileURL(file).href);
    } catch (error) {
      throw coreErrors.connectorInvalid(`connector ${name} could not be loaded: ${(error as Error).message}`, {
        cause: error,
      });
    }
    const connector = (exported as { default?: unknown }).default;
    if (!isConnector(connector)) {
      throw coreErrors.connectorInvalid(`${file} has no connector as its default export`);
    }
    return connector;
  }

  private entryOf(name: string): string {
    if (name.startsWith('.') || isAbsolute(name)) return this.pathEntry(name);
    const packageName = /^[@./]|\//.test(name) ? name : `${SCOPE}${PREFIX}${name}`;
    for (const root of this.options.roots) {
      for (const candidate of packageName === name ? [name] : [packageName, name]) {
        const entry = packageEntry(candidate, root);
        if (entry !== undefined) return entry;
      }
    }
    throw this.missing(name, packageName);
  }

  private pathEntry(name: string): string {
    for (const root of this.options.roots) {
      const path = resolve(root, name);
      if (!existsSync(path)) continue;
      if (!statSync(path).isDirectory()) return path;
      return createRequire(join(path, 'package.json')).resolve(path);
    }
    throw coreErrors.connectorMissing(`there is no connector at ${name}`, {
      help: 'Paths of connectors start from the folder of the job file.',
    });
  }

  private missing(name: string, packageName: string) {
    const near = nearestName(name, this.list().map(({ connector }) => connector));
    const guess = near === undefined ? '' : `; did you mean "${near}"?`;
    return coreErrors.connectorMissing(`connector "${name}" is not installed${guess}`, {
      help: `Install it: npm install ${packageName}`,
      details: { connector: name, package: packageName },
    });
  }

  private scan(): InstalledConnector[] {
    const byName = new Map<string, InstalledConnector>();
    for (const root of this.options.roots) {
      for (const name of candidates(root)) {
        const folder = packageFolder(name, root);
        const installed = folder === undefined ? undefined : installedIn(folder);
        if (installed && !byName.has(installed.connector)) byName.set(installed.connector, installed);
      }
    }
    return [...byName.values()].sort((a, b) => a.connector.localeCompare(b.connector));
  }
}

function packageEntry(name: string, root: string): string | undefined {
  const folder = packageFolder(name, root);
  if (folder === undefined) return undefined;
  return importEntry(folder) ?? createRequire(join(root, 'package.json')).resolve(name);
}

/** The file that `import` of a package loads, by the part of its exports map that connectors use. */
function importEntry(folder: string): string | undefined {
  const { exports, module, main } = (readPackage(folder) ?? {}) as { exports?: unknown; module?: string; main?: string };
  let target: unknown = exports;
  for (const condition of ['.', 'node', 'import', 'default']) {
    if (typeof target === 'object' && target !== null && condition in target) {
      target = (target as { [key: string]: unknown })[condition];
    }
  }
  const file = typeof target === 'string' ? target : (module ?? main);
  return file === undefined ? undefined : join(folder, file);
}

/** Packages that may be connectors: dependencies of the enclosing package, and all of our scope beside it. */
function candidates(root: string): Set<string> {
  const names = new Set<string>();
  const own = enclosingPackage(root);
  for (const name of Object.keys((own && readPackage(own)?.dependencies) ?? {})) names.add(name);
  for (let folder = root; ; folder = dirname(folder)) {
    const scope = join(folder, 'node_modules', SCOPE);
    if (existsSync(scope)) for (const name of readdirSync(scope)) if (name.startsWith(PREFIX)) names.add(`${SCOPE}${name}`);
    if (dirname(folder) === folder) return names;
  }
}

function isConnector(value: unknown): value is Connector {
  if (typeof value !== 'object' || value === null) return false;
  const { name, config, source, sink } = value as Partial<Connector>;
  return typeof name === 'string' && config !== undefined && (source !== undefined || sink !== undefined);
}
