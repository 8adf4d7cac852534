/** The kit's rules for sinks, judged on folders of files, which Arrow and plain parsers read. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { formatUuid, type JsonObject, type LogicalType, type Row, type Value } from '@sluice/sdk';
import { needsPythonReaders, pythonWithReaders, type ReadTarget, testSink } from '@sluice/test';
import { afterAll, describe } from 'vitest';
import connector from './index.js';

const root = mkdtempSync(join(tmpdir(), 'sluice-file-sink-'));
let folders = 0;
let arrow: ArrowReader | undefined;
afterAll(() => {
  arrow?.stop();
  rmSync(root, { recursive: true, force: true });
});

const modes = { append: 'two-phase', replace: 'two-phase' } as const;
const freshFolder = (format: string): JsonObject => ({ path: join(root, `${format}-${++folders}`), format });

describe('parquet', () => {
  needsPythonReaders();
  testSink({
    connector,
    modes,
    config: () => freshFolder('parquet'),
    read: async (target) => {
      arrow ??= await ArrowReader.start();
      const rows: Row[] = [];
      const uuids = target.table.schema.fields
        .filter(({ type }) => type.kind === 'uuid')
        .map(({ name }) => name);
      for (const path of filesOf(target, '.parquet')) rows.push(...(await arrow.read(path)));
      for (const row of rows) for (const name of uuids) row[name] &&= formatUuid(row[name] as Uint8Array);
      return rows;
    },
  });
});

describe('csv', () => {
  testSink({
    connector,
    modes,
    config: () => freshFolder('csv'),
    read: (target) => filesOf(target, '.csv').flatMap((path) => csvRows(target, path)),
  });
});

describe('jsonl', () => {
  testSink({
    connector,
    modes,
    config: () => freshFolder('jsonl'),
    read: (target) => filesOf(target, '.jsonl').flatMap((path) => jsonRows(target, path)),
    exceptTypes: { json_null: 'a line has one word for the document null and for no value' },
  });
});

function filesOf({ table, config }: ReadTarget, ending: string): string[] {
  const { folder } = table.detail as { folder: string };
  const path = join(config['path'] as string, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(path, name));
}

/** RFC 4180, where only an unquoted empty field is null. */
function csvRows({ table }: ReadTarget, path: string): Row[] {
  const records: (string | null)[][] = [[]];
  const text = readFileSync(path, 'utf8');
  const field = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/gy;
  while (field.lastIndex < text.length) {
    const [, held, end] = field.exec(text) ?? [];
    if (held === undefined) throw new Error(`${path}: no CSV at ${field.lastIndex}`);
    records
      .at(-1)!
      .push(held.startsWith('"') ? held.slice(1, -1).replaceAll('""', '"') : held === '' ? null : held);
    if (end !== ',') records.push([]);
  }
  const [header = [], ...rows] = records.filter((record) => record.length > 0);
  const types = new Map(table.schema.fields.map((f) => [f.name, f.type]));
  return rows.map((record) =>
    Object.fromEntries(header.map((name, i) => [name!, textValue(types.get(name!), record[i]!)])),
  );
}

function textValue(type: LogicalType | undefined, text: string | null): Value {
  if (text === null) return null;
  if (type?.kind === 'bool') return text === 'true' ? true : text === 'false' ? false : text;
  if (type?.kind === 'bytes') return Buffer.from(text, 'base64');
  if (type && ['list', 'struct', 'map', 'union'].includes(type.kind)) return nested(text);
  return text;
}

/** One object a line. Members keep their text where numbers and documents have to be exact. */
function jsonRows({ table }: ReadTarget, path: string): Row[] {
  const types = new Map(table.schema.fields.map((f) => [f.name, f.type]));
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => {
    const row: Row = {};
    for (const [name, text] of membersOf(line)) row[name] = jsonValue(types.get(name), text);
    return row;
  });
}

function jsonValue(type: LogicalType | undefined, text: string): Value {
  if (type?.kind === 'json') return text === 'null' ? null : text;
  const value = nested(text);
  return type?.kind === 'bytes' && typeof value === 'string' ? Buffer.from(value, 'base64') : value;
}

/** The members of an object's text, each with the text of its value. */
function membersOf(line: string): [name: string, text: string][] {
  const members: [string, string][] = [];
  const token = /"(?:[^"\\]|\\.)*"|[^"{}[\],:]+|[{}[\],:]/gy;
  let depth = 0;
  let name: string | undefined;
  let text = '';
  token.lastIndex = line.indexOf('{') + 1;
  for (let match = token.exec(line); match !== null; match = token.exec(line)) {
    const [found] = match;
    if (depth === 0 && (found === ',' || found === '}')) {
      if (name !== undefined) members.push([name, text]);
      [name, text] = [undefined, ''];
    } else if (depth === 0 && name === undefined && found.startsWith('"')) {
      name = JSON.parse(found) as string;
    } else if (depth > 0 || found !== ':' || text !== '') {
      text += found;
    }
    if (found === '{' || found === '[') depth++;
    if ((found === '}' || found === ']') && depth > 0) depth--;
  }
  return members;
}

/** A JSON value whose numbers are texts with all their digits. */
function nested(text: string): Value {
  const quoted = text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (found) =>
    found.startsWith('"') ? found : `"${found}"`,
  );
  return JSON.parse(quoted) as Value;
}

/** Arrow in a process of its own, which reads a file a line: values as JSON, what JSON has not as text. */
class ArrowReader {
  private static readonly program = `
import json, sys
import pyarrow as pa
import pyarrow.parquet as pq

def values(array):
    t = array.type
    if isinstance(t, pa.BaseExtensionType): return values(array.storage)
    if pa.types.is_dictionary(t): return values(array.dictionary_decode())
    if pa.types.is_timestamp(t) or pa.types.is_time64(t) or pa.types.is_duration(t): return texts(array.cast(pa.int64()))
    if pa.types.is_date32(t): return texts(array.cast(pa.int32()))
    if pa.types.is_integer(t): return texts(array)
    if pa.types.is_decimal(t): return [None if v is None else format(v, 'f') for v in array.to_pylist()]
    if pa.types.is_floating(t): return [None if v is None else repr(v) for v in array.to_pylist()]
    if pa.types.is_binary(t) or pa.types.is_large_binary(t) or pa.types.is_fixed_size_binary(t):
        return [None if v is None else {'bytes': v.hex()} for v in array.to_pylist()]
    if pa.types.is_struct(t):
        members = [(t.field(i).name, values(array.field(i))) for i in range(t.num_fields)]
        return [{name: held[i] for name, held in members} if valid else None for i, valid in enumerate(array.is_valid().to_pylist())]
    if pa.types.is_map(t):
        keys, held, at = values(array.keys), values(array.items), array.offsets.to_pylist()
        return [[[keys[k], held[k]] for k in range(at[i], at[i + 1])] if valid else None for i, valid in enumerate(array.is_valid().to_pylist())]
    if pa.types.is_list(t) or pa.types.is_large_list(t):
        held, at = values(array.values), array.offsets.to_pylist()
        return [held[at[i]:at[i + 1]] if valid else None for i, valid in enumerate(array.is_valid().to_pylist())]
    return array.to_pylist()

def texts(array): return [None if v is None else str(v) for v in array.to_pylist()]

for line in sys.stdin:
    table = pq.ParquetFile(line.rstrip('\\n')).read()
    columns = {name: [v for chunk in table.column(i).chunks for v in values(chunk)] for i, name in enumerate(table.column_names)}
    print(json.dumps({'rows': table.num_rows, 'columns': columns}), flush=True)
`;

  private complaint = '';

  private constructor(
    private readonly python: ChildProcessWithoutNullStreams,
    private readonly lines: Interface,
  ) {}

  static async start(): Promise<ArrowReader> {
    const python = spawn(await pythonWithReaders(), ['-c', ArrowReader.program]);
    const reader = new ArrowReader(python, createInterface(python.stdout));
    python.stderr.on('data', (chunk: Buffer) => {
      reader.complaint += chunk.toString();
    });
    return reader;
  }

  async read(path: string): Promise<Row[]> {
    const answer = new Promise<string>((resolve, reject) => {
      const failed = () => reject(new Error(`Arrow cannot read ${path}: ${this.complaint}`));
      if (this.python.exitCode !== null) return failed();
      this.python.once('exit', failed);
      this.lines.once('line', (line) => {
        this.python.off('exit', failed);
        resolve(line);
      });
    });
    this.python.stdin.write(`${path}\n`);
    const { rows, columns } = JSON.parse(await answer, (_, value: unknown) => {
      const { bytes } = (value ?? {}) as { bytes?: unknown };
      return typeof bytes === 'string' ? Buffer.from(bytes, 'hex') : value;
    }) as { rows: number; columns: { [name: string]: Value[] } };
    return Array.from({ length: rows }, (_, i) =>
      Object.fromEntries(Object.entries(columns).map(([name, held]) => [name, held[i]!])),
    );
  }

  stop(): void {
    this.lines.close();
    this.python.kill();
  }
}
