import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, it } from 'vitest';
import type { Ledger } from './ledger.js';
import { ledgerContract, type OpenLedger } from './ledger-contract.js';
import { MemoryLedger } from './memory-ledger.js';
import { openSqliteLedger } from './sqlite-ledger.js';

const opened: { ledger: Ledger; folder?: string }[] = [];

afterEach(async () => {
  for (const { ledger, folder } of opened.splice(0)) {
    await ledger.close();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  }
});

const kinds: { readonly [name: string]: OpenLedger } = {
  async memory(options) {
    const ledger = new MemoryLedger(options);
    opened.push({ ledger });
    return ledger;
  },
  async sqlite(options) {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-ledger-'));
    const ledger = await openSqliteLedger(join(folder, 'state.db'), options);
    opened.push({ ledger, folder });
    return ledger;
  },
};

for (const [kind, open] of Object.entries(kinds)) {
  describe(`ledger contract: ${kind}`, () => {
    for (const { title, check } of ledgerContract) it(title, () => check(open));
  });
}
