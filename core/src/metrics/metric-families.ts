/** The metrics of a run: the code that fills them and the page that explains them are made from this table. */

export interface MetricFamily {
  /** In base units, counters ending in `_total`. */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** All that tell its samples apart. Their values are names from the job and the plan, or a few fixed words. */
  readonly labels: readonly string[];
}

/** On every metric: one collector of text files reads those of many jobs, and takes no sample twice. */
const JOB = ['job_name'] as const;
const FLOW = [...JOB, 'flow'] as const;
const SINK = [...FLOW, 'sink'] as const;
const STREAM = [...FLOW, 'stream', 'sink'] as const;

function counter(labels: readonly string[], name: string, help: string): MetricFamily {
  return { name: `sluice_${name}`, type: 'counter', help, labels };
}

function gauge(labels: readonly string[], name: string, help: string): MetricFamily {
  return { name: `sluice_${name}`, type: 'gauge', help, labels };
}

/** States of a run, as `sluice_run_status` has them. */
export const RUN_STATES = ['running', 'succeeded', 'failed', 'stopped'] as const;

export const metricFamilies = {
  build: gauge(
    [...JOB, 'version', 'node_version'],
    'build_info',
    'Always 1; the labels say what is running.',
  ),
  status: gauge([...JOB, 'status'], 'run_status', '1 for the state that the run is in, 0 for the others.'),
  startTime: gauge(JOB, 'run_start_timestamp_seconds', 'When the run began.'),
  endTime: gauge(JOB, 'run_end_timestamp_seconds', 'When the run ended; missing while it is under way.'),
  duration: gauge(JOB, 'run_duration_seconds', 'How long the run has taken so far.'),
  read: counter(STREAM, 'rows_read_total', 'Rows that the reader offered.'),
  bytes: counter(STREAM, 'read_bytes_total', 'Bytes of the rows that the reader offered.'),
  added: counter(STREAM, 'rows_added_total', 'Rows that transforms made beyond those read.'),
  filtered: counter(STREAM, 'rows_filtered_total', 'Rows that transforms took out.'),
  rejected: counter(STREAM, 'rows_rejected_total', 'Rows that were refused and became dead letters.'),
  passed: counter(STREAM, 'rows_passed_total', 'Rows that the sink accepted.'),
  committed: counter(STREAM, 'rows_committed_total', 'Rows that are committed in the sink.'),
  complete: gauge(STREAM, 'stream_complete', '1 once everything there was to read is visible in the sink.'),
  streamCommit: gauge(
    STREAM,
    'stream_last_commit_timestamp_seconds',
    'When rows of the stream were last committed in the sink; missing before the first.',
  ),
  epochs: counter(SINK, 'epochs_committed_total', 'Commits.'),
  sinkCommit: gauge(
    SINK,
    'sink_last_commit_timestamp_seconds',
    'When anything was last committed in the sink; missing before the first.',
  ),
  delay: gauge(
    SINK,
    'sink_delay_seconds',
    'From the commit at the source to the commit in the sink, of the last changes that came from a log.',
  ),
  lag: gauge(FLOW, 'log_lag_bytes', 'Bytes of a followed log that are not committed in all sinks yet.'),
  kept: gauge(FLOW, 'log_kept_bytes', 'Bytes of the log that the source keeps on its disk for the flow.'),
  detached: gauge(SINK, 'sink_detached', '1 while the flow goes on without the sink.'),
  quarantined: gauge(
    [...FLOW, 'stream'],
    'stream_quarantined',
    '1 while the flow goes on without the stream.',
  ),
  retries: counter(FLOW, 'flow_retries_total', 'Times that the flow began again after an error.'),
  residentMemory: gauge(
    JOB,
    'process_resident_memory_bytes',
    'Memory of the process, as the system sees it.',
  ),
  heapMemory: gauge(JOB, 'process_heap_bytes', 'Memory that JavaScript objects take.'),
  externalMemory: gauge(
    JOB,
    'process_external_memory_bytes',
    'Memory that is held outside of the JavaScript heap: batches, buffers, drivers.',
  ),
  cpu: counter(JOB, 'process_cpu_seconds_total', 'Processor time of the process, of all its threads.'),
} as const satisfies { readonly [key: string]: MetricFamily };
