/** Sources that each break one rule on purpose, as authors do by accident; the rule must catch them. */
import type { BrokenSource } from './broken-source.js';
import { brokenBatches } from './broken-source-batches.js';
import { brokenDeclarations, brokenDiscovery } from './broken-source-declarations.js';
import { brokenReaders, brokenResuming } from './broken-source-reading.js';
import { brokenSplits } from './broken-source-splits.js';

export const brokenSources: readonly BrokenSource[] = [
  ...brokenDeclarations,
  ...brokenDiscovery,
  ...brokenSplits,
  ...brokenBatches,
  ...brokenResuming,
  ...brokenReaders,
];
