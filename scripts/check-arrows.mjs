// Applies the table of arrows.mjs to the packages on the disk.
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import * as rules from './arrows.mjs';
import { moduleUses } from './module-uses.mjs';
import { readWorkspace, references } from './workspace.mjs';

const builtins = new Set(builtinModules);

/**
 * Checks every package of a repository.
 * @param {string} root
 * @returns {string[]} one sentence for each violation, with its file
 */
export function checkArrows(root) {
  const workspace = readWorkspace(root);
  const folderOf = new Map(workspace.map((each) => [each.manifest.name, each.folder]));
  const built = references(root, '.');
  const problems = [];
  for (const each of workspace) {
    const row = rowOf(each.folder);
    if (row === undefined) {
      problems.push(`${each.folder}: has no row in scripts/arrows.mjs; add one that says what it may import`);
      continue;
    }
    const scope = { ...each, row, folderOf, root };
    if (!fits(each.manifest.name, row.name))
      problems.push(`${each.folder}/package.json: the name must be ${row.name}, not ${each.manifest.name}`);
    if (!built.includes(each.folder))
      problems.push(`tsconfig.json: does not refer to ${each.folder}, which is therefore never compiled`);
    problems.push(...manifestProblems(scope), ...referenceProblems(scope), ...sourceProblems(scope));
  }
  return problems;
}

function rowOf(folder) {
  return rules.packages.find((row) => fits(folder, row.folder));
}

/** Whether a name or folder is meant by an entry of the table, in which a final * stands for one name. */
function fits(value, entry) {
  if (!entry.endsWith('*')) return value === entry;
  const prefix = entry.slice(0, -1);
  return (
    value.startsWith(prefix) && value.length > prefix.length && !value.slice(prefix.length).includes('/')
  );
}

function mayUse(scope, folder, inTest) {
  if (scope.row.may.some((entry) => fits(folder, entry))) return true;
  return inTest && !rules.inTests.notIn.includes(scope.folder) && rules.inTests.may.includes(folder);
}

function manifestProblems(scope) {
  const where = `${scope.folder}/package.json`;
  const shipped = shippedDependencies(scope.manifest).flatMap((name) =>
    dependencyProblem(scope, name, false),
  );
  const development = Object.keys(scope.manifest.devDependencies ?? {});
  const tests = development.flatMap((name) => dependencyProblem(scope, name, true));
  return [...shipped, ...tests].map((problem) => `${where}: ${problem}`);
}

function shippedDependencies(manifest) {
  const { dependencies, peerDependencies, optionalDependencies } = manifest;
  return Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies });
}

/** Whether a package may have another at all, however it comes by it. */
function dependencyProblem(scope, name, inTest) {
  const folder = scope.folderOf.get(name);
  if (folder !== undefined)
    return folder === scope.folder || mayUse(scope, folder, inTest)
      ? []
      : [`${scope.folder} may not depend on ${name} (it may use: ${scope.row.may.join(', ') || 'none'})`];
  if (inTest && (rules.inTests.external.includes(name) || name.startsWith('@types/')))
    return driverProblem(scope, name);
  if (scope.row.external && !scope.row.external.includes(name))
    return [`${scope.folder} may depend on ${scope.row.external.join(', ')} only, not on ${name}`];
  return driverProblem(scope, name);
}

function driverProblem(scope, name) {
  const driver = rules.drivers.find((each) => each.matches.test(name));
  if (driver === undefined || scope.row.private || driver.owners.includes(scope.folder)) return [];
  return [`${name} is a driver and belongs in ${driver.owners.join(' or ')} alone, not in ${scope.folder}`];
}

function referenceProblems(scope) {
  return scope.references
    .filter((folder) => !mayUse(scope, folder, true))
    .map((folder) => `${scope.folder}/tsconfig.json: ${scope.folder} may not refer to ${folder}`);
}

function sourceProblems(scope) {
  return scope.sources.flatMap(({ path, text }) => {
    const uses = moduleUses(path, text);
    const inTest = /(\.test\.[cm]?[jt]s$)|(^|\/)(testing|bench)\//.test(path);
    const found = uses.modules.flatMap(({ text: specifier, line }) =>
      specifierProblems(scope, path, specifier, inTest).map((problem) => `${path}:${line}: ${problem}`),
    );
    return [...found, ...(inTest ? [] : connectorNames(scope, path, uses.strings))];
  });
}

function specifierProblems(scope, path, specifier, inTest) {
  if (specifier.startsWith('.')) return relativeProblem(scope, path, specifier);
  const name = packageName(specifier);
  if (specifier.startsWith('node:') || builtins.has(name) || name === scope.manifest.name) return [];
  const problems = dependencyProblem(scope, name, inTest);
  if (problems.length > 0) return problems;
  return [...undeclaredProblem(scope, name, inTest), ...unreferencedProblem(scope, name)];
}

function packageName(specifier) {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
}

function relativeProblem(scope, path, specifier) {
  const target = posix.join(posix.dirname(path), specifier);
  const inside = target === scope.folder || target.startsWith(`${scope.folder}/`);
  const nested = [...scope.folderOf.values()].some(
    (folder) => folder.startsWith(`${scope.folder}/`) && target.startsWith(`${folder}/`),
  );
  if (inside && !nested) return [];
  return [`${specifier} leaves the package ${scope.folder}; import other packages by their names`];
}

function undeclaredProblem(scope, name, inTest) {
  if (shippedDependencies(scope.manifest).includes(name)) return [];
  const loose = inTest || scope.row.private;
  if (loose && (rules.inTests.external.includes(name) || scope.manifest.devDependencies?.[name])) return [];
  return [`${name} is imported but not declared in ${scope.folder}/package.json`];
}

function unreferencedProblem(scope, name) {
  const folder = scope.folderOf.get(name);
  if (folder === undefined || scope.references.includes(folder)) return [];
  return [`${name} is imported but ${scope.folder}/tsconfig.json does not refer to ${folder}`];
}

function connectorNames(scope, path, strings) {
  const { folders, prefix } = rules.namesNoConnector;
  if (!folders.includes(scope.folder)) return [];
  return strings
    .filter(({ text }) =>
      text
        .split(prefix)
        .slice(1)
        .some((rest) => /^[a-z0-9]/i.test(rest)),
    )
    .map(({ text, line }) => `${path}:${line}: ${scope.folder} names a connector ('${text}')`);
}
