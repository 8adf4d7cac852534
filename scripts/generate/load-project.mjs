// Loads what pages are made from: the compiled packages of this repository.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readWorkspace } from '../workspace.mjs';

/**
 * @typedef {import('../../cli/dist/index.js').ConnectorDescription} ConnectorDescription
 * @typedef {{ connector: import('@sluice/sdk').Connector, description: ConnectorDescription }} LoadedConnector
 * @typedef {{ family: string, package: string, entries: import('@sluice/sdk').ErrorEntry[] }} ErrorFamily
 */

/** @param {string} root */
export async function loadProject(root) {
  const packages = readWorkspace(root);
  const load = (folder) => import(pathToFileURL(join(root, folder, 'dist', 'index.js')).href);
  const cli = await load('cli');
  const core = await load('core');
  const { transforms } = await load('transforms');
  const connectors = [];
  for (const { folder, manifest } of packages) {
    if (!folder.startsWith('connectors/')) continue;
    const { default: connector } = await load(folder);
    if (connector === undefined) throw new Error(`${manifest.name} exports no connector as its default`);
    const found = { package: manifest.name, version: manifest.version, ...manifest.sluice };
    connectors.push({ connector, description: cli.describeConnector(connector, found) });
  }
  connectors.sort((a, b) => (a.connector.name < b.connector.name ? -1 : 1));
  return {
    cli,
    core,
    connectors,
    transforms: Object.values(transforms),
    families: await errorFamilies(packages, load, cli.declaredErrors),
  };
}

/** Every error code that a package exports, or hangs on its connector or its transforms, by family. */
async function errorFamilies(packages, load, declaredErrors) {
  const families = new Map();
  for (const { folder, manifest, sources } of packages) {
    // Fakes of the test kit have errors of their own, which nobody meets.
    if (folder === 'test' || folder.startsWith('test/')) continue;
    const declared = declaredFamilies(sources);
    if (declared.length === 0) continue;
    for (const entry of declaredErrors(await load(folder))) {
      const family = familyOf(entry);
      if (!declared.includes(family)) continue;
      const key = `${family} ${manifest.name}`;
      if (!families.has(key)) families.set(key, { family, package: manifest.name, entries: [] });
      families.get(key).entries.push(entry);
    }
    const missing = declared.filter((family) => !families.has(`${family} ${manifest.name}`));
    if (missing.length > 0) {
      throw new Error(
        `${manifest.name} declares the error family ${missing.join(', ')}, and does not export it`,
      );
    }
  }
  return [...families.values()].sort((a, b) => (a.family < b.family ? -1 : 1));
}

function declaredFamilies(sources) {
  const own = sources.filter(({ path }) => !/\.test\.[cm]?[jt]s$/.test(path));
  return own.flatMap(({ text }) =>
    [...text.matchAll(/\bdefineErrors\(\s*'([A-Z0-9]+)'/g)].map((match) => match[1]),
  );
}

/** `SLUICE-PG-0012` → `PG` */
function familyOf({ code }) {
  return code.split('-')[1];
}
