/** Finds connectors by name at run time, so that one written outside is no second-class citizen. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Connector, nearestName } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import { installCommand } from './install-command.js';
import {
  dependenciesOf,
  enclosingPackage,
  entryOf,
  type InstalledConnector,
  installedIn,
  packageFolder,
} from './package-metadata.js';

const SCOPE = '@sluice/';
const PREFIX = 'connector-';

export interface RegistryOptions {
  /** Folders to look from, in order: the job's folder, which paths start from, then where the command line is installed. */
  readonly roots: readonly string[];
}

export class Registry {
  private readonly loaded = new Map<string, Promise<Connector>>();
  private found: readonly InstalledConnector[] | undefined;

  constructor(private readonly options: RegistryOptions) {}

  /**
   * Loads a connector, and nothing else. The name is that of one of ours (`name` → the package of our scope that
   * begins with `connector-`), the name that an installed package gives itself, the name of a package, or a path
   * (`./mine`, absolute) to a module or package. Throws `SLUICE-CORE-0004` with the command that installs it, or
   * `0005` for a package that is no connector.
   */
  connector(name: string): Promise<Connector> {
    let loading = this.loaded.get(name);
    if (loading === undefined) {
      loading = this.load(name);
      this.loaded.set(name, loading);
    }
    return loading;
  }

  /** The installed connectors by name, without loading any. */
  list(): readonly InstalledConnector[] {
    this.found ??= this.scan();
    return this.found;
  }

  private async load(name: string): Promise<Connector> {
    const file = isPath(name) ? this.fileAt(name) : this.fileOfPackage(name);
    let exported: { readonly default?: unknown };
    try {
      exported = (await import(pathToFileURL(file).href)) as { readonly default?: unknown };
    } catch (error) {
      throw coreErrors.connectorInvalid(
        `connector ${name} (${file}) could not be loaded: ${(error as Error).message}`,
        {
          cause: error,
          help: 'Build or reinstall the package; `npm ls` in its folder shows what it lacks.',
        },
      );
    }
    const problem = connectorProblem(exported.default);
    if (problem !== undefined) throw coreErrors.connectorInvalid(`the default export of ${file} ${problem}`);
    return exported.default as Connector;
  }

  private fileAt(path: string): string {
    const full = resolve(this.options.roots[0] ?? '.', path);
    const stat = statSync(full, { throwIfNoEntry: false });
    const file = stat?.isDirectory() ? entryOf(full) : full;
    if (stat !== undefined && existsSync(file)) return file;
    throw coreErrors.connectorMissing(
      `there is no connector at ${full}${stat === undefined ? '' : `: ${file} is missing`}`,
      {
        help: 'A path leads to a module or to the folder of a package, starting from the folder of the job file.',
        details: { connector: path },
      },
    );
  }

  private fileOfPackage(name: string): string {
    const isPackageName = /^@|\//.test(name);
    if (!isPackageName) {
      const own = this.fileOf(`${SCOPE}${PREFIX}${name}`);
      if (own !== undefined) return own;
      const named = this.list().find(({ connector }) => connector === name);
      if (named !== undefined) return entryOf(named.folder);
    }
    // A driver may be called like the system, too: without our metadata a plain name is none of our packages.
    const isOurs = (folder: string) => isPackageName || installedIn(folder) !== undefined;
    const file = this.fileOf(name, isOurs);
    if (file !== undefined) return file;
    throw this.missing(name, isPackageName || /sluice/.test(name) ? name : `${SCOPE}${PREFIX}${name}`);
  }

  private fileOf(packageName: string, isOurs: (folder: string) => boolean = () => true): string | undefined {
    for (const root of this.options.roots) {
      const folder = packageFolder(packageName, root);
      if (folder !== undefined && isOurs(folder)) return entryOf(folder);
    }
    return this.resolved(packageName);
  }

  /** For package managers that keep packages elsewhere and change Node's resolution instead (Plug'n'Play). */
  private resolved(packageName: string): string | undefined {
    if (process.versions['pnp'] === undefined) return undefined;
    for (const root of this.options.roots) {
      try {
        return createRequire(join(root, 'package.json')).resolve(packageName);
      } catch {
        // not a dependency from there
      }
    }
    return undefined;
  }

  private missing(name: string, packageName: string): Error {
    const near = nearestName(
      name,
      this.list().map(({ connector }) => connector),
    );
    const command = installCommand(packageName, this.options.roots[0] ?? '.');
    return coreErrors.connectorMissing(
      `connector "${name}" is not installed${near === undefined ? '' : `; did you mean "${near}"?`}`,
      {
        help:
          near === undefined
            ? `Install it: ${command}`
            : `Write "${near}", or install the package: ${command}`,
        details: { connector: name, package: packageName, command },
      },
    );
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
    return [...byName.values()].sort((a, b) => (a.connector < b.connector ? -1 : 1));
  }
}

function isPath(name: string): boolean {
  return /^\.{1,2}([\\/]|$)/.test(name) || isAbsolute(name);
}

/** Packages that may be connectors: all of our scope that can be seen, then the enclosing package's dependencies. */
function candidates(root: string): Set<string> {
  const names = new Set<string>();
  for (let folder = root; ; folder = dirname(folder)) {
    const scope = join(folder, 'node_modules', SCOPE);
    const found = existsSync(scope) ? readdirSync(scope) : [];
    for (const name of found) if (name.startsWith(PREFIX)) names.add(`${SCOPE}${name}`);
    if (dirname(folder) === folder) break;
  }
  const own = enclosingPackage(root);
  for (const name of own === undefined ? [] : dependenciesOf(own)) names.add(name);
  return names;
}

/** What an export lacks to be a connector; undefined when it is one. */
function connectorProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'is missing, or no connector';
  const { name, config, source, sink } = value as { readonly [K in keyof Connector]?: unknown };
  if (typeof name !== 'string') return 'has no name';
  if (typeof (config as { safeParse?: unknown } | undefined)?.safeParse !== 'function')
    return 'has no zod schema as its `config`';
  if (source === undefined && sink === undefined) return 'has neither a source nor a sink';
  for (const side of [source, sink]) {
    if (side !== undefined && typeof (side as { create?: unknown } | null)?.create !== 'function') {
      return 'has a source or sink without `create`';
    }
  }
  return undefined;
}
