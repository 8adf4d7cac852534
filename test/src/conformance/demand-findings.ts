/** What `diagnose` answers is read by people and programs: the kit looks at its form, and at what it says of a good system. */
import type { Finding } from '@sluice/sdk';
import type { ConnectorSession } from './connector-rules.js';
import { demandJson } from './json-trip.js';
import { demandNoSecrets } from './no-secrets.js';
import { demand } from './rule.js';
import { show } from './show.js';

const KEYS: { readonly [level: string]: readonly string[] } = {
  ok: ['level', 'what'],
  warn: ['fix', 'level', 'what'],
  fail: ['class', 'fix', 'level', 'what'],
};

/** Throws unless each finding is well-formed and none of them a failure: the kit asks where everything works. */
export function demandFindings(session: ConnectorSession, findings: readonly Finding[]): void {
  demandJson(findings, 'the answer of diagnose');
  demand(Array.isArray(findings), () => `diagnose answers ${show(findings)}`);
  for (const finding of findings) demandForm(finding);
  const failed = findings.find(({ level }) => level === 'fail');
  demand(failed === undefined, () => `diagnose says of what works: ${show(failed)}`);
  demandNoSecrets(session, [JSON.stringify(findings)]);
}

function demandForm(finding: Finding): void {
  const keys = KEYS[finding.level];
  demand(keys !== undefined, () => `the level of a finding is ${show(finding.level)}`);
  const unknown = Object.keys(finding).filter((key) => !keys.includes(key));
  demand(unknown.length === 0, () => `a finding of level ${finding.level} has ${unknown.join(', ')}`);
  demandLine(finding.what, 'what');
  if (finding.level === 'fail' || 'fix' in finding) demandLine((finding as { fix?: unknown }).fix, 'fix');
  if (finding.level === 'fail') demand(typeof finding.class === 'string', 'a failure has no class');
}

function demandLine(text: unknown, key: string): void {
  const isLine = typeof text === 'string' && text.trim() !== '' && !/[\r\n]/.test(text);
  demand(isLine, () => `\`${key}\` of a finding is ${show(text)}, not one line`);
}
