import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fetchPackage } from './npm-package.js';
import { ServerUnavailable } from './server-unavailable.js';
import { skipUnless } from './skip-unless.js';

const small = {
  name: 'is-number',
  version: '7.0.0',
  integrity:
    'sha512-41Cifkg6e8TylSpdtTpeLVMqvSBEVzTttHvERD741+pnZ8ANv0004MRL43QKPDlK9cGvNp6NZWZUBlbGXYxxng==',
};

let cache: string;
beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), 'sluice-cache-'));
  vi.stubEnv('SLUICE_TEST_CACHE', cache);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

describe('a pinned package', () => {
  skipUnless('npm', async () => {
    await fetchPackage(small);
  });

  it('is unpacked in the cache, and found there later', async () => {
    const folder = await fetchPackage(small);
    expect(folder).toBe(join(cache, 'is-number-7.0.0'));
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    expect(manifest.version).toBe('7.0.0');
    rmSync(join(folder, 'README.md'));
    expect(existsSync(join(await fetchPackage(small), 'README.md'))).toBe(false);
  });

  it('with another content than was pinned is refused loudly and not kept', async () => {
    const wrong = fetchPackage({ ...small, version: '6.0.0' });
    await expect(wrong).rejects.toThrow(/is-number@6.0.0 has the hash sha512-.*, not the pinned one/);
    await expect(wrong).rejects.not.toBeInstanceOf(ServerUnavailable);
    expect(readdirSync(cache)).toEqual(['is-number-7.0.0']);
  });

  it('that does not exist is unavailable', async () => {
    const missing = fetchPackage({ ...small, version: '99.0.0' });
    await expect(missing).rejects.toBeInstanceOf(ServerUnavailable);
    expect(readdirSync(cache)).toEqual(['is-number-7.0.0']);
  });
});
