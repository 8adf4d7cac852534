// Reads the packages of this repository from the disk.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import ts from 'typescript';

/**
 * @typedef {object} Package
 * @property {string} folder relative to the root, with forward slashes
 * @property {Record<string, any>} manifest its package.json
 * @property {string[]} references folders that its tsconfig.json refers to, relative to the root
 * @property {{ path: string, text: string }[]} sources its own source files, relative to the root
 */

const sourceFile = /\.(ts|tsx|mts|cts|js|mjs|cjs)$/;
const skipped = new Set(['node_modules', 'dist', '.sluice', 'coverage']);

/**
 * Finds every package that pnpm-workspace.yaml lists.
 * @param {string} root
 * @returns {Package[]}
 */
export function readWorkspace(root) {
  const folders = workspaceFolders(root);
  return folders.map((folder) => ({
    folder,
    manifest: JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')),
    references: references(root, folder),
    sources: sources(root, folder, folders),
  }));
}

/**
 * The folders that a package's tsconfig.json refers to, or for '.' the ones of the whole build.
 * @param {string} root
 * @param {string} folder
 * @returns {string[]} relative to the root
 */
export function references(root, folder) {
  const path = join(root, folder, 'tsconfig.json');
  if (!existsSync(path)) return [];
  const { config } = ts.parseConfigFileTextToJson(path, readFileSync(path, 'utf8'));
  return (config.references ?? []).map((reference) => posix.join(folder, reference.path));
}

function workspaceFolders(root) {
  const text = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8');
  const list = text.match(/^packages:\n((?:[ ]*-.*\n?)+)/m)?.[1] ?? '';
  const patterns = [...list.matchAll(/-\s*['"]?([^'"\s]+)/g)].map((match) => match[1]);
  return patterns.flatMap((pattern) => expand(root, pattern)).sort();
}

function expand(root, pattern) {
  const parents = pattern.endsWith('/*') ? children(root, pattern.slice(0, -2)) : [pattern];
  return parents.filter((folder) => existsSync(join(root, folder, 'package.json')));
}

function children(root, folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);
}

function sources(root, folder, folders) {
  const found = [];
  const walk = (directory) => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      const name = relative(root, path).split(sep).join('/');
      if (entry.isDirectory()) {
        if (!skipped.has(entry.name) && !folders.includes(name)) walk(path);
      } else if (sourceFile.test(entry.name)) {
        found.push({ path: name, text: readFileSync(path, 'utf8') });
      }
    }
  };
  walk(join(root, folder));
  return found;
}
