/** A plan for people. */
import type { Verdict } from '@sluice/sdk';
import { visibleLines } from '../output/cells.js';
import type { Colours } from '../output/colours.js';
import { formatBytes, formatShort, plural } from '../output/numbers.js';
import { type TableCell, table } from '../output/table.js';
import type {
  ColumnDescription,
  ConnectionDescription,
  FlowDescription,
  PlanDescription,
  StreamDescription,
} from './describe-plan.js';

/** One after the other: a plan of many streams has hundreds of thousands of lines. */
export function* planLines(plan: PlanDescription, colours: Colours, width?: number): Generator<string> {
  for (const flow of plan.flows) yield* flowLines(plan.job, flow, colours, width);
}

function* flowLines(job: string, flow: FlowDescription, colours: Colours, width?: number): Generator<string> {
  const { streams } = flow;
  const many = plural(new Set(streams.map(({ stream }) => stream)).size, 'stream');
  const facts = [`${flow.lanes} at once`];
  if (flow.sinks.length === 1) facts.push(`transactions ${flow.sinks[0]!.transactions}`);
  if (streams.some(({ read }) => read === 'incremental')) facts.push(`increments ${flow.incremental}`);
  const columns = [
    { title: 'stream' },
    { title: 'read' },
    { title: 'target' },
    { title: 'write' },
    { title: 'protocol' },
    { title: 'delivered' },
    { title: 'rung' },
    { title: 'publish' },
    { title: 'size', align: 'right' as const },
  ];
  const sinks = flow.sinks.map(connectionText).join(' and ');
  yield `${colours.bold(`${job}, flow ${flow.flow}: ${connectionText(flow.source)} → ${sinks}`)}${colours.dim(`  ${[many, ...facts].join(', ')}`)}`;
  yield* sinkLines(flow, colours);
  yield* quarantinedLines(job, flow, colours);
  yield '';
  yield* table(
    columns,
    streams.map((stream) => streamRow(stream, colours)),
    colours,
    width,
  );
  for (const stream of streams) {
    yield '';
    yield* streamLines(stream, colours, width);
  }
  yield '';
}

/** What differs between the sinks of a flow, and those that it goes on without. */
function sinkLines({ sinks, detached }: FlowDescription, colours: Colours): string[] {
  const facts =
    sinks.length === 1
      ? []
      : sinks.map(({ sink, transactions, onFailure }) => {
          const left = onFailure === 'detach' ? ', left behind when it fails' : '';
          return colours.dim(`  ${sink}: transactions ${transactions}${left}`);
        });
  const missing = detached.map(({ sink, code, message }) =>
    colours.yellow(`  ${sink} is left behind: ${message} (${code})`),
  );
  return [...facts, ...missing];
}

function quarantinedLines(job: string, { quarantined }: FlowDescription, colours: Colours): string[] {
  return quarantined.map(({ stream, code, message, since }) => {
    const is = since === undefined ? 'would be quarantined' : 'is quarantined';
    return colours.yellow(
      `  ${stream} ${is}: ${message} (${code}); sluice resync ${job} ${stream} brings it back`,
    );
  });
}

function connectionText({ connection, connector }: ConnectionDescription): string {
  return connection === connector ? connector : `${connection} (${connector})`;
}

function streamRow(stream: StreamDescription, colours: Colours): TableCell[] {
  const { guarantee } = stream;
  const paint =
    guarantee === 'exactly once'
      ? colours.green
      : guarantee === 'effectively once'
        ? colours.cyan
        : colours.yellow;
  return [
    stream.stream,
    readText(stream),
    stream.target,
    stream.write,
    stream.protocol,
    { text: guarantee, paint },
    stream.rung,
    stream.publish,
    sizeText(stream),
  ];
}

function readText({ read, cursor, increments }: StreamDescription): string {
  const by = cursor === undefined ? '' : ` by ${cursor}`;
  return `${read}${by}${increments === 'lagged' ? ', lagged' : ''}`;
}

function sizeText({ estimatedRows, estimatedBytes }: StreamDescription): string {
  if (estimatedRows !== undefined) return `~${formatShort(estimatedRows)} rows`;
  return estimatedBytes === undefined ? '' : `~${formatBytes(estimatedBytes)}`;
}

function streamLines(stream: StreamDescription, colours: Colours, width?: number): string[] {
  const exists = stream.exists ? '' : ' (will be created)';
  const key = stream.key.length === 0 ? 'no key' : `key ${stream.key.join(', ')}`;
  const head = `${colours.bold(`${stream.stream} → ${stream.target}`)}${colours.dim(`${exists}  ${key}`)}`;
  const columns = [
    { title: 'column' },
    { title: 'source' },
    { title: 'type' },
    { title: 'target' },
    { title: 'values' },
  ];
  return [
    head,
    ...indented(
      table(
        columns,
        stream.columns.map((column) => columnRow(column, stream, colours)),
        colours,
        width && width - 2,
      ),
    ),
    ...listed('steps', stream.ddl, colours),
    ...listed('notes', stream.notes, colours),
  ];
}

function columnRow(
  column: ColumnDescription,
  { transforms }: StreamDescription,
  colours: Colours,
): TableCell[] {
  const { source, type, nullable, target, verdict, notes } = column;
  const paint = VERDICT_COLOUR[verdict];
  return [
    column.column,
    source ?? (transforms.length > 0 ? '(transform)' : ''),
    nullable ? type : `${type} not null`,
    target,
    { text: [verdict, ...notes].join(': '), paint: (text) => colours[paint](text) },
  ];
}

const VERDICT_COLOUR: { readonly [V in Verdict]: 'dim' | 'cyan' | 'red' } = {
  exact: 'dim',
  widening: 'cyan',
  lossy: 'red',
};

function listed(title: string, texts: readonly string[], colours: Colours): string[] {
  if (texts.length === 0) return [];
  const lines = texts.flatMap((text) => visibleLines(text).split('\n'));
  return [`  ${colours.dim(title)}`, ...lines.map((line) => `    ${line}`)];
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
