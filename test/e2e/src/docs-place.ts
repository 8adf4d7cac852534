/** Where the pages of the documentation are tried: a folder with nothing in it, and `sluice` on the PATH. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface DocsPlace {
  readonly folder: string;
  /** Its `sluice` is the one of this repository, and `DATA` the folder of the tutorial's data. */
  readonly env: NodeJS.ProcessEnv;
}

/** Makes one for each call, and removes it after the test. */
export function docsPlaces(): () => DocsPlace {
  let made: string[] = [];
  afterEach(() => {
    for (const folder of made) rmSync(folder, { recursive: true, force: true });
    made = [];
  });
  return () => {
    const root = mkdtempSync(join(tmpdir(), 'sluice-docs-'));
    made.push(root);
    const bin = join(root, '.bin');
    const folder = join(root, 'work');
    mkdirSync(bin);
    mkdirSync(folder);
    const shim = join(bin, 'sluice');
    writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'cli/bin/sluice.js')}' "$@"\n`);
    chmodSync(shim, 0o755);
    const data = join(ROOT, 'node_modules/vega-datasets/data');
    const env = {
      ...process.env,
      PATH: `${bin}${delimiter}${process.env['PATH']}`,
      NO_COLOR: '1',
      DATA: data,
    };
    return { folder, env };
  };
}
