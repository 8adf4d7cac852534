// The index of error codes, and the check that no code means two things.
import { code, prose, table } from './markdown.mjs';

/**
 * Codes that mean two things. The entries of a family are the same objects wherever they are exported.
 * @param {import('./load-project.mjs').ErrorFamily[]} families
 */
export function duplicateCodes(families) {
  const seen = new Map();
  const problems = [];
  for (const { package: owner, entries } of families) {
    for (const entry of entries) {
      const other = seen.get(entry.code);
      if (other !== undefined)
        problems.push(`${entry.code} (${entry.title}) is declared by ${other} and by ${owner}`);
      seen.set(entry.code, owner);
    }
  }
  return problems;
}

/**
 * @param {(error: { class: string, code: string }) => number} exitCodeOf
 * @param {{ [errorClass: string]: string }} classes what each class means
 */
export function errorIndex(families, exitCodeOf, classes) {
  const exit = (entry) => exitCodeOf({ class: entry.class, code: entry.code });
  const intro = [
    '# Errors',
    'Every error has a code that stays the same, says what happened and what to do, and belongs to a class that',
    'says how Sluice reacts and which exit code a run ends with.',
    '',
    table(
      ['class', 'meaning', 'exit code'],
      Object.entries(classes).map(([name, meaning]) => [
        code(name),
        meaning,
        exit({ class: name, code: '' }),
      ]),
    ),
  ].join('\n');
  const sections = families.map(({ family, package: owner, entries }) => {
    const sorted = [...entries].sort((a, b) => (a.code < b.code ? -1 : 1));
    return [
      `## ${family}`,
      `From ${code(owner)}.`,
      ...sorted.map((entry) => errorEntry(entry, exit(entry))),
    ].join('\n\n');
  });
  return `${[intro, ...sections].join('\n\n')}\n`;
}

function errorEntry(entry, exitCode) {
  return [
    `### ${entry.code}`,
    `**${prose(entry.title)}.** Class ${code(entry.class)}, exit code ${exitCode}.`,
    `What to do: ${prose(entry.help)}`,
  ].join('\n\n');
}
