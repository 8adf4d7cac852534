/** What sources keep of their logs, for people. */
import type { SourceLogs } from '@sluice/core';
import type { KeptLog } from '@sluice/sdk';
import type { Colours } from '../output/colours.js';
import { formatBytes } from '../output/numbers.js';
import { type TableCell, table } from '../output/table.js';

const COLUMNS = [
  { title: 'slot' },
  { title: 'publication' },
  { title: 'state' },
  { title: 'confirmed' },
  { title: 'kept from' },
  { title: 'behind', align: 'right' as const },
  { title: 'kept', align: 'right' as const },
  { title: 'left', align: 'right' as const },
  { title: 'read by' },
];

export function logLines(sources: readonly SourceLogs[], colours: Colours, width?: number): string[] {
  if (sources.every(({ logs }) => logs.length === 0)) return ['Nothing is kept.'];
  return sources
    .filter(({ logs }) => logs.length > 0)
    .flatMap(({ connection, flow, logs }, i) => [
      ...(i === 0 ? [] : ['']),
      colours.bold(flow === undefined ? connection : `${connection}, flow ${flow}`),
      ...table(
        COLUMNS,
        logs.map((log) => cells(log, colours)),
        colours,
        width,
      ),
    ]);
}

function cells(log: KeptLog, colours: Colours): TableCell[] {
  const { name, publication = '–', state, status, reader, confirmed, keptFrom } = log;
  const said = status === undefined || status === state ? state : `${state}, ${status}`;
  const isWell = state === 'reading' || state === 'idle';
  return [
    name,
    publication,
    { text: said, paint: isWell ? (text) => text : colours.red },
    place(confirmed),
    place(keptFrom),
    size(log.bytesBehind),
    size(log.bytesKept),
    state === 'lost' || state === 'missing' ? '–' : size(log.bytesLeft, 'no limit'),
    reader === undefined ? '–' : `process ${reader}`,
  ];
}

function place(position: KeptLog['confirmed']): string {
  if (position === undefined) return '–';
  return typeof position === 'string' ? position : JSON.stringify(position);
}

function size(bytes: number | undefined, none = '–'): string {
  return bytes === undefined ? none : formatBytes(bytes);
}
