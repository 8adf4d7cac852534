export { type Replayed, type ReplayOptions, replayLetters } from './dead-letters/replay.js';
export { coreErrors } from './errors.js';
export { eventError } from './event-error.js';
export type {
  DetachedResult,
  EventError,
  QuarantinedResult,
  RunEvent,
  RunListener,
  RunResult,
  StreamCounts,
  StreamResult,
} from './events.js';
export { readDotenv } from './job/dotenv.js';
export { dotenvLine } from './job/dotenv-line.js';
export { issuesText } from './job/issues-text.js';
export { type Job, type JobConnection, type JobFlow, type JobSink, requirementOf } from './job/job.js';
export { jobSchema } from './job/job-json-schema.js';
export { type LoadOptions, loadJob } from './job/load-job.js';
export { Redactor } from './job/redactor.js';
export { parseSize } from './job/size.js';
export { discoveryPatterns, streamSettings, targetSettings, unmatchedNames } from './job/stream-settings.js';
export { currentHolder } from './ledger/holder.js';
export type * from './ledger/ledger.js';
export { type ContractCheck, ledgerContract, type OpenLedger } from './ledger/ledger-contract.js';
export { MemoryLedger } from './ledger/memory-ledger.js';
export type { LedgerOptions } from './ledger/refusals.js';
export { DEFAULT_LEDGER_PATH, openSqliteLedger } from './ledger/sqlite-ledger.js';
export { SCHEMA_VERSION as LEDGER_VERSION } from './ledger/sqlite-schema.js';
export { EXPOSITION_TYPE } from './metrics/exposition.js';
export { type MetricFamily, metricFamilies } from './metrics/metric-families.js';
export { RunMetrics, type RunMetricsOptions } from './metrics/run-metrics.js';
export type {
  DetachedSink,
  EpochBounds,
  FlowPlan,
  SinkPlan,
  StreamPlan,
  TargetPlan,
} from './plan/flow-plan.js';
export { streamsRead, targetsWritten } from './plan/flow-uses.js';
export { memoryAvailable } from './plan/memory-budget.js';
export { possibleWrites } from './plan/modes-matrix.js';
export {
  contextOf,
  type Endpoint,
  type JobPlan,
  openSink,
  openSource,
  type PlanOptions,
  planJob,
} from './plan/plan-job.js';
export { tablesOf } from './plan/routed-table.js';
export { connectionAt, type LocatedConnection } from './registry/location.js';
export type { InstalledConnector } from './registry/package-metadata.js';
export { Registry, type RegistryOptions } from './registry/registry.js';
export { defaultRetry, type RetryPolicy } from './run/backoff.js';
export { exitCodeOf, type RunOptions, runJob } from './run/run-job.js';
export { type AdoptedFlow, adoptState } from './state/adopt-state.js';
export { type Cleaned, type CleanOptions, cleanJob } from './state/clean-job.js';
export { exportState } from './state/export-state.js';
export { forkState } from './state/fork-state.js';
export { importState } from './state/import-state.js';
export {
  type DropLogsOptions,
  dropLogs,
  type KeptLogsOptions,
  keptLogs,
  type SourceLogs,
} from './state/kept-logs.js';
export { type PlaceChange, placesAt, placesBetween } from './state/places.js';
export { type RewindOptions, type RewoundFlow, rewindJob } from './state/rewind.js';
export type { ComparedStream, Difference, StreamComparison, VerifyEvent } from './verify/differences.js';
export { type Verified, type VerifyOptions, verifyJob } from './verify/verify-job.js';
