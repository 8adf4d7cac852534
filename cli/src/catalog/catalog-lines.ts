/** What discovery found, for people. */
import { visible } from '../output/cells.js';
import type { Colours } from '../output/colours.js';
import { formatBytes, formatShort } from '../output/numbers.js';
import { type TableCell, table } from '../output/table.js';
import type { CatalogDescription } from './describe-catalog.js';

/** Up to so many streams are shown with their columns. */
const FEW = 5;

export function catalogLines(
  streams: readonly CatalogDescription[],
  colours: Colours,
  width?: number,
): string[] {
  const columns = [
    { title: 'stream' },
    { title: 'rows', align: 'right' as const },
    { title: 'size', align: 'right' as const },
    { title: 'columns', align: 'right' as const },
    { title: 'key' },
    { title: 'can be read' },
  ];
  const overview = table(
    columns,
    streams.map((stream) => streamRow(stream, colours)),
    colours,
    width,
  );
  if (streams.length > FEW) {
    return [...overview, '', colours.dim('--streams <pattern> shows the columns of a few of them.')];
  }
  return [...overview, ...streams.flatMap((stream) => ['', ...columnLines(stream, colours, width)])];
}

function streamRow(stream: CatalogDescription, colours: Colours): TableCell[] {
  const { estimatedRows, estimatedBytes, problem, key } = stream;
  return [
    stream.stream,
    estimatedRows === undefined ? '' : `~${formatShort(estimatedRows)}`,
    estimatedBytes === undefined ? '' : `~${formatBytes(estimatedBytes)}`,
    String(stream.columns.length),
    key.join(', '),
    problem === undefined ? 'yes' : { text: `no: ${problem.message}`, paint: colours.red },
  ];
}

function columnLines(
  { stream, columns, notes }: CatalogDescription,
  colours: Colours,
  width?: number,
): string[] {
  const rows = columns.map(({ column, native, type, nullable, verdict, note }): TableCell[] => {
    const remark = [verdict, ...(note === undefined ? [] : [note])].join(': ');
    return [
      column,
      native,
      nullable ? type : `${type} not null`,
      { text: remark, paint: verdict === 'lossy' ? colours.red : colours.dim },
    ];
  });
  const titles = [{ title: 'column' }, { title: 'source' }, { title: 'type' }, { title: 'values' }];
  const lines = table(titles, rows, colours, width && width - 2).map((line) => `  ${line}`);
  return [colours.bold(stream), ...lines, ...notes.map((note) => colours.dim(`  ${visible(note)}`))];
}
