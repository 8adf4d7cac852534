/** Sinks that each break one rule on purpose, as authors do by accident; the rule must catch them. */
import type { BrokenSink } from './broken-sink.js';
import { brokenLives, brokenPlans, brokenSchemas } from './broken-sink-plans.js';
import { brokenRecords, brokenTwoPhase } from './broken-sink-records.js';
import { brokenCommits, brokenGenerations } from './broken-sink-rows.js';
import { brokenKeys, brokenValues } from './broken-sink-values.js';

export const brokenSinks: readonly BrokenSink[] = [
  ...brokenPlans,
  ...brokenSchemas,
  ...brokenRecords,
  ...brokenCommits,
  ...brokenTwoPhase,
  ...brokenGenerations,
  ...brokenKeys,
  ...brokenValues,
  ...brokenLives,
];
