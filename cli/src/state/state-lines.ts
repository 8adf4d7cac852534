/** What the ledger knows of a job, for people. */
import { cut, visible } from '../output/cells.js';
import type { Colours } from '../output/colours.js';
import { formatCount, formatDuration } from '../output/numbers.js';
import { type TableCell, table } from '../output/table.js';
import type {
  RunDescription,
  SinkDescription,
  SplitDescription,
  StateDescription,
} from './describe-state.js';

const SPLITS_SHOWN = 20;
const POSITION_WIDTH = 48;

export function stateLines(state: StateDescription, colours: Colours, width?: number): string[] {
  const lines = [colours.bold(state.job)];
  if (state.held) {
    const { run, host, pid, until } = state.held;
    lines.push(`run ${run} is under way on ${host}, process ${pid}; its lease lasts until ${time(until)}`);
  }
  lines.push('', ...runLines(state.runs, colours, width));
  lines.push(...quarantinedLines(state, colours));
  for (const sink of state.sinks) lines.push('', ...sinkLines(sink, colours, width));
  return lines;
}

function quarantinedLines({ job, quarantined }: StateDescription, colours: Colours): string[] {
  const lines = quarantined.map(({ flow, stream, since, code, message }) =>
    colours.yellow(
      `flow ${flow} goes on without stream ${stream} since ${time(since)}: ${message} (${code}); sluice resync ${job} ${stream} brings it back`,
    ),
  );
  return lines.length === 0 ? [] : ['', ...lines];
}

function runLines(runs: readonly RunDescription[], colours: Colours, width?: number): string[] {
  if (runs.length === 0) return ['It has never run.'];
  const rows = runs.map(({ run, status, startedAt, endedAt, rows: count, error }): TableCell[] => [
    time(startedAt),
    endedAt === undefined ? '' : formatDuration(endedAt - startedAt),
    {
      text: status,
      paint: status === 'succeeded' ? colours.green : status === 'failed' ? colours.red : colours.yellow,
    },
    count === undefined ? '' : formatCount(count),
    run,
    errorText(error),
  ]);
  const columns = [
    { title: 'began' },
    { title: 'took' },
    { title: 'ended' },
    { title: 'rows', align: 'right' as const },
    { title: 'run' },
    { title: 'error' },
  ];
  return table(columns, rows, colours, width);
}

function sinkLines(
  { flow, sink, streams, splits }: SinkDescription,
  colours: Colours,
  width?: number,
): string[] {
  const rows = streams.map(({ stream, generation, published, splits: count, sealed }) => [
    stream,
    String(generation),
    published === 0 ? '–' : String(published),
    `${sealed} of ${count}`,
  ]);
  const columns = [
    { title: 'stream' },
    { title: 'generation' },
    { title: 'published' },
    { title: 'parts done' },
  ];
  return [
    `flow ${flow} → ${sink}`,
    ...table(columns, rows, colours, width),
    ...(splits.length === 0 ? [] : ['', ...splitLines(splits, colours, width)]),
  ];
}

function splitLines(splits: readonly SplitDescription[], colours: Colours, width?: number): string[] {
  const shown = splits.slice(0, SPLITS_SHOWN);
  const rows = shown.map(({ split, epoch, position, sealed, prepared }) => [
    split,
    String(epoch),
    sealed ? 'done' : prepared ? 'being published' : 'open',
    cut(visible(JSON.stringify(position)), POSITION_WIDTH),
  ]);
  const columns = [
    { title: 'part' },
    { title: 'epoch', align: 'right' as const },
    { title: 'state' },
    { title: 'position' },
  ];
  const rest = splits.length - shown.length;
  return [
    ...table(columns, rows, colours, width),
    ...(rest > 0 ? [colours.dim(`and ${rest} more; --json shows all`)] : []),
  ];
}

function errorText(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  return code === undefined ? '' : `${code} ${message ?? ''}`;
}

function time(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').slice(0, 19);
}
