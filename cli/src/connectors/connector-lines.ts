/** A connector for people: what it can do, the keys of its connection and streams, its errors. */
import type { ErrorEntry } from '@sluice/sdk';
import type { Colours } from '../output/colours.js';
import { labelledLines } from '../output/labelled-lines.js';
import { table } from '../output/table.js';
import type { ConfigKey } from './config-keys.js';
import { type ConnectorDescription, writeModes } from './describe-connector.js';

export interface ShownConnector extends ConnectorDescription {
  /** Keys of a connection. */
  readonly config: readonly ConfigKey[];
  /** Keys of a stream that is read, and of one that is written. */
  readonly sourceOptions: readonly ConfigKey[];
  readonly sinkOptions: readonly ConfigKey[];
  readonly errors: readonly Omit<ErrorEntry, 'name'>[];
}

export function connectorLines(shown: ShownConnector, colours: Colours, width?: number): string[] {
  const { name, title, version, urls, files, source, sink, errors } = shown;
  const fact = (label: string, text: string) => labelledLines(label, text, colours, width);
  return [
    `${colours.bold(name)}  ${title}`,
    ...fact('from', [shown.package, version].join(' ').trim()),
    ...fact('known', [...urls.map((scheme) => `${scheme}://`), ...files].join(' ')),
    ...fact('reads', source === undefined ? '' : sourceText(source)),
    ...fact('writes', sink === undefined ? '' : sinkText(sink)),
    ...keyLines('Connection', shown.config, colours, width),
    ...keyLines('Streams that are read', shown.sourceOptions, colours, width),
    ...keyLines('Streams that are written', shown.sinkOptions, colours, width),
    ...section(
      'Errors',
      ['code', 'class', 'what happened'],
      errors.map((error) => [error.code, error.class, error.title]),
      colours,
      width,
    ),
  ];
}

function sourceText({ modes, incremental, replay, before }: NonNullable<ConnectorDescription['source']>) {
  return [
    modes.join(', '),
    ...(incremental === 'none' ? [] : [`increments ${incremental}`]),
    ...(replay ? [] : ['cannot be read again']),
    ...(before ? ['with rows as they were before'] : []),
  ].join('; ');
}

function sinkText(sink: NonNullable<ConnectorDescription['sink']>) {
  const { transactions, partialUpdates, move, writers } = sink;
  return [
    writeModes(sink)
      .map(({ mode, protocol }) => `${mode} (${protocol})`)
      .join(', '),
    `transactions ${transactions}`,
    ...(partialUpdates ? ['partial updates'] : []),
    ...(move ? ['key changes'] : []),
    `${writers} ${writers === 1 ? 'writer' : 'writers'} at once`,
  ].join('; ');
}

const LONGEST_DEFAULT = 40;

/** A long one is in the schema for those who want it. */
function defaultText(standard: unknown): string {
  const text = standard === undefined ? '' : JSON.stringify(standard);
  return text.length > LONGEST_DEFAULT ? '(see --json)' : text;
}

function keyLines(title: string, keys: readonly ConfigKey[], colours: Colours, width?: number): string[] {
  const rows = keys.map(({ key, type, default: standard, required, secret, description }) => [
    key,
    secret ? `${type}, secret` : type,
    required ? 'required' : defaultText(standard),
    description,
  ]);
  return section(title, ['key', 'type', 'default', 'what it is'], rows, colours, width);
}

function section(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  colours: Colours,
  width?: number,
): string[] {
  if (rows.length === 0) return [];
  const titles = columns.map((name) => ({ title: name }));
  const lines = table(titles, rows, colours, width && width - 2);
  return ['', colours.bold(title), ...lines.map((line) => `  ${line}`)];
}
