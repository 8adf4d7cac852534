/** The result of a run for people. */
import type { RunResult, StreamResult } from '@sluice/core';
import type { Colours } from '../output/colours.js';
import { formatBytes, formatCount, formatDuration, formatShort, plural } from '../output/numbers.js';
import { type TableColumn, table } from '../output/table.js';

/** A sentence, and a table of the streams. */
export function resultLines(result: RunResult, colours: Colours, width?: number): string[] {
  const { streams } = result;
  if (streams.length === 0) return [headline(result, colours)];
  const remark = closing(result);
  return [
    headline(result, colours),
    '',
    ...streamTable(streams, colours, width),
    ...detachedLines(result, colours),
    ...quarantinedLines(result, colours),
    ...(remark === undefined ? [] : ['', colours.dim(remark)]),
  ];
}

function headline({ job, status, startedAt, endedAt, rows, bytes }: RunResult, colours: Colours): string {
  const ms = endedAt - startedAt;
  const rate = ms > 0 && rows > 0 ? `, ${formatShort((rows * 1000) / ms)} rows/s` : '';
  const what = `${plural(rows, 'row')} in ${formatDuration(ms)} (${formatBytes(bytes)}${rate})`;
  if (status === 'succeeded') return `${colours.green('✔')} ${colours.bold(job)}: ${what}`;
  if (status === 'stopped') return `${colours.yellow('■')} ${colours.bold(job)} was stopped: ${what}`;
  return `${colours.red('✖')} ${colours.bold(job)} failed: ${what}`;
}

function streamTable(streams: readonly StreamResult[], colours: Colours, width?: number): string[] {
  const rejects = streams.some(({ rejected }) => rejected > 0);
  const columns: TableColumn[] = [
    { title: 'stream' },
    { title: 'target' },
    { title: 'read', align: 'right' },
    { title: 'filtered', align: 'right' },
    ...(rejects ? [{ title: 'rejected', align: 'right' as const }] : []),
    { title: 'written', align: 'right' },
    { title: 'delivered' },
    { title: 'state' },
  ];
  const rows = streams.map((stream) => [
    stream.stream,
    stream.target,
    formatCount(stream.read),
    formatCount(stream.filtered),
    ...(rejects ? [{ text: formatCount(stream.rejected), paint: colours.yellow }] : []),
    formatCount(stream.committed),
    stream.guarantee,
    { text: stateOf(stream), paint: stream.complete ? colours.green : colours.yellow },
  ]);
  return table(columns, rows, colours, width);
}

function detachedLines({ detached = [] }: RunResult, colours: Colours): string[] {
  return detached.flatMap(({ sink, error: { code, message } }) => [
    '',
    colours.yellow(`sink ${sink} was left behind: ${message} (${code}); it keeps its place`),
  ]);
}

function quarantinedLines({ job, quarantined = [] }: RunResult, colours: Colours): string[] {
  return quarantined.flatMap(({ stream, error: { code, message } }) => [
    '',
    colours.yellow(
      `stream ${stream} is quarantined: ${message} (${code}); correct that, then: sluice resync ${job} ${stream}`,
    ),
  ]);
}

function stateOf({ complete, read }: StreamResult): string {
  if (!complete) return 'incomplete';
  return read === 0 ? 'no new rows' : 'complete';
}

function closing({ job, streams, status }: RunResult): string | undefined {
  if (status !== 'succeeded') {
    return 'What is written stays; the next run continues from the last committed position.';
  }
  if (streams.some(({ rejected }) => rejected > 0)) {
    return `Rejected rows are kept: sluice dlq list ${job}`;
  }
  const idle = streams.filter(({ read, complete }) => complete && read === 0).length;
  return idle === streams.length ? 'There was no new rows.' : undefined;
}
