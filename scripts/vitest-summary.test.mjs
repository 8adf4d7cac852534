// Runs vitest on a folder in which every kind of outcome occurs once, and reads the counts.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './command.mjs';

const files = {
  'plain.test.mjs': `import { it } from 'vitest';
    it('passes', () => {});
    it('fails', () => { throw new Error('on purpose'); });
    it('skips', (context) => context.skip('for a reason'));
    it.skip('skips silently', () => {});`,
  'unloadable.test.mjs': "import './nowhere.mjs';",
  'hook.test.mjs': `import { beforeAll, describe, it } from 'vitest';
    describe('with a broken hook', () => {
      beforeAll(() => { throw new Error('on purpose'); });
      it('never runs', () => {});
    });`,
};

it('counts passes, failures, files that do not load, broken hooks and skips with their reasons', () => {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(root, '.cache', 'summary-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const reporter = join(root, 'scripts', 'vitest-summary.mjs');
    const config = `export default { test: { include: ['*.test.mjs'], reporters: ['${reporter}'] } };`;
    writeFileSync(join(folder, 'vitest.config.mjs'), config);
    const counts = join(folder, 'counts.json');
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const result = spawnSync(process.execPath, [vitest, 'run', '--root', folder], {
      cwd: folder,
      env: { ...process.env, SLUICE_TEST_COUNTS: counts },
      encoding: 'utf8',
    });
    expect(result.status, result.stderr).toBe(1);
    const { passed, failed, skipped } = JSON.parse(readFileSync(counts, 'utf8'));
    expect(passed).toBe(1);
    expect(failed).toBe(3);
    expect(skipped.map((skip) => `${skip.name}: ${skip.reason}`).sort()).toEqual([
      'hook.test.mjs > with a broken hook > never runs: undefined',
      'plain.test.mjs > skips silently: undefined',
      'plain.test.mjs > skips: for a reason',
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
