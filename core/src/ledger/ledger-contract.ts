/**
 * What every ledger must do, as checks that need no test framework: each opens an empty ledger and rejects when a
 * promise of the contract does not hold. A ledger written elsewhere proves itself with the same list.
 */
import { commits } from './contract/commits.js';
import { copyRequests } from './contract/copy-requests.js';
import { generations } from './contract/generations.js';
import { leases } from './contract/leases.js';
import { letters } from './contract/letters.js';
import { quarantines } from './contract/quarantines.js';
import { replacing } from './contract/replacing.js';
import { runs } from './contract/runs.js';
import type { ContractCheck } from './contract/scene.js';

export type { ContractCheck, OpenLedger } from './contract/scene.js';

/** Every check of the contract. */
export const ledgerContract: readonly ContractCheck[] = [
  ...leases,
  ...generations,
  ...commits,
  ...copyRequests,
  ...letters,
  ...quarantines,
  ...replacing,
  ...runs,
];
