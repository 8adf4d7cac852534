/** What doctor found, for people. */
import type { Finding } from '@sluice/sdk';
import { visible } from '../output/cells.js';
import type { Colours } from '../output/colours.js';
import type { Section } from './section.js';

/** With `problemsOnly` what is well is left out, and so are sections of which all is. */
export function sectionLines(
  sections: readonly Section[],
  colours: Colours,
  problemsOnly: boolean,
): string[] {
  return sections.flatMap((section, i) => {
    const shown = section.findings.filter(({ level }) => !problemsOnly || level !== 'ok');
    if (shown.length === 0) return [];
    const gap = i === 0 || problemsOnly ? [] : [''];
    return [...gap, titleOf(section, colours), ...shown.flatMap((finding) => findingLines(finding, colours))];
  });
}

const TITLES = { machine: 'This machine', ledger: 'Ledger', job: 'Job' } as const;

function titleOf({ about, connection = '', connector, flow }: Section, colours: Colours): string {
  if (about !== 'source' && about !== 'sink') return colours.bold(TITLES[about]);
  const where = colours.dim(`(${connector}, flow ${visible(flow ?? '')})`);
  return `${colours.bold(`${about} ${visible(connection)}`)} ${where}`;
}

function findingLines(finding: Finding, colours: Colours): string[] {
  const { level, what } = finding;
  const marks = { ok: colours.green('✔'), warn: colours.yellow('!'), fail: colours.red('✖') };
  const fix = level === 'ok' ? undefined : finding.fix;
  return [`  ${marks[level]} ${visible(what)}`, ...(fix === undefined ? [] : [`      ${visible(fix)}`])];
}
