import { expect, it } from 'vitest';
import { colours } from '../output/colours.js';
import type { Section } from './section.js';
import { sectionLines } from './section-lines.js';

const sections: readonly Section[] = [
  { about: 'machine', findings: [{ level: 'ok', what: 'Node.js 20.19.0' }] },
  {
    about: 'source',
    connection: 'shop',
    connector: 'postgres',
    flow: 'main',
    findings: [
      { level: 'ok', what: 'can be reached' },
      { level: 'warn', what: 'rows are hidden' },
      { level: 'fail', what: 'SELECT is missing\u001b[2J', fix: 'GRANT SELECT;', class: 'auth' },
    ],
  },
];

it('shows each finding below what it is about, with what mends it', () => {
  const lines = sectionLines(sections, colours(false), false);
  expect(lines.slice(0, 6)).toEqual([
    'This machine',
    '  ✔ Node.js 20.19.0',
    '',
    'source shop (postgres, flow main)',
    '  ✔ can be reached',
    '  ! rows are hidden',
  ]);
  expect(lines[6]).toMatch(/^ {2}✖ SELECT is missing/);
  expect(lines[6]).not.toContain('\u001b');
  expect(lines[7]).toBe('      GRANT SELECT;');
});

it('shows problems only where that is wanted', () => {
  const lines = sectionLines(sections, colours(false), true);
  expect(lines[0]).toBe('source shop (postgres, flow main)');
  expect(lines).toHaveLength(4);
});
