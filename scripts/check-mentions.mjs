// Finds text that only means something on the machine where it was written.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const machineFolder = ['', 'work', ''].join('/');
const outside = ['..', 'shared'].join('/');
const specifications = `${outside}/specs`;

/**
 * Looks for forbidden mentions in one file.
 * @param {string} path decides what is allowed: tests may read vendors' specifications
 * @param {string} text
 * @returns {string[]} one sentence for each mention
 */
export function mentionsIn(path, text) {
  const inTest = /\.test\.[cm]?[jt]s$/.test(path);
  return text.split('\n').flatMap((line, index) => {
    const where = `${path}:${index + 1}`;
    const rest = inTest ? line.replaceAll(specifications, '') : line;
    const problems = [];
    if (rest.includes(machineFolder))
      problems.push(`${where}: mentions ${machineFolder}, a folder of one machine`);
    if (rest.includes(outside))
      problems.push(`${where}: mentions ${outside}, which is no part of the project`);
    return problems;
  });
}

/**
 * Looks for forbidden mentions in every file that is, or is about to be, under version control.
 * @param {string} root
 * @returns {string[]}
 */
export function checkMentions(root) {
  const list = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (list.status !== 0) return [`git cannot list the files of the project: ${list.stderr ?? list.error}`];
  const paths = list.stdout.split('\0').filter((path) => path !== '' && existsSync(join(root, path)));
  return paths.flatMap((path) => {
    const content = readFileSync(join(root, path));
    return content.includes(0) ? [] : mentionsIn(path, content.toString('utf8'));
  });
}
