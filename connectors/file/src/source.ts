/** Files as a source: each file, or part of one, is a split that can be resumed anywhere between two rows. */
import { constants } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Storage } from '@sluice/formats';
import {
  type Catalog,
  type CatalogStream,
  type Context,
  type DiagnosedStream,
  type Finding,
  failure,
  formatType,
  isSluiceError,
  type Json,
  type Message,
  matchesAny,
  may,
  type OpenRequest,
  type Reader,
  type SluiceError,
  type Source,
  type Split,
  type StreamRead,
  shellWord,
  streamSchema,
} from '@sluice/sdk';
import type { FileConfig } from './config.js';
import { CsvReader } from './csv-reader.js';
import { DeclaredTypes } from './declared-types.js';
import { fileErrors } from './errors.js';
import type { FormatName } from './file-format.js';
import { isSameVersion } from './file-version.js';
import type { FormatReader, Inspection } from './format-reader.js';
import { constantsOf, hiveColumns } from './hive-columns.js';
import type { FolderValue } from './hive-folders.js';
import { JsonReader } from './json-reader.js';
import { ParquetReader } from './parquet-reader.js';
import { encodingSaid } from './plain-bytes.js';
import { absolutePath, findFiles, placeOf, type SourceFile } from './source-files.js';

/** What a split says of itself, beside the part of the file that it is. */
interface SplitSpec {
  readonly path: string;
  readonly size: number;
  readonly version: string;
  readonly format: FormatName;
  readonly ending: string;
  /** What the file's folders say; left out where that is nothing. */
  readonly folders?: readonly FolderValue[];
  readonly part: Json;
}

export class FileSource implements Source {
  readonly capabilities = {
    replay: true,
    modes: ['full', 'incremental'],
    incremental: 'exact',
    before: false,
  } as const;
  private readonly declared: DeclaredTypes;

  constructor(private readonly config: FileConfig) {
    this.declared = new DeclaredTypes(config.types);
    encodingSaid(config);
  }

  async check(c: Context): Promise<void> {
    const { storage, streams } = await findFiles(this.config, c.cwd);
    const [first] = streams.values();
    await storage.readAt(first![0]!.path, 0, 1);
  }

  async diagnose(streams: readonly DiagnosedStream[], c: Context): Promise<Finding[]> {
    const found = await findFiles(this.config, c.cwd);
    const findings: Finding[] = [];
    let readable = 0;
    for (const { stream } of streams) {
      const files = found.streams.get(stream);
      if (files === undefined) {
        findings.push(
          failure(fileErrors.nothingFound(`no file at ${found.storage.name} is stream ${stream}`)),
        );
        continue;
      }
      for (const { path } of files) {
        const whole = resolve(found.storage.name, path);
        if (await may(whole, constants.R_OK)) readable++;
        else {
          const fix = `chmod u+r ${shellWord(whole)}`;
          findings.push({ level: 'fail', what: `${whole} cannot be read`, fix, class: 'config' });
        }
      }
    }
    return [
      { level: 'ok', what: `files of ${found.storage.name} that can be read: ${readable}` },
      ...findings,
    ];
  }

  /** The path and the patterns: files have no identity of their own, and a source leaves no mark among them. */
  async identity(c: Context): Promise<string> {
    const { streams } = this.config;
    const patterns = streams === undefined ? '' : `#${JSON.stringify(Object.entries(streams).sort())}`;
    return `file:${absolutePath(this.config.path, c.cwd)}${patterns}`;
  }

  async discover(patterns: readonly string[] | undefined, c: Context): Promise<Catalog> {
    const found = await findFiles(this.config, c.cwd);
    const streams: CatalogStream[] = [];
    for (const [stream, files] of found.streams) {
      if (patterns !== undefined && !matchesAny(patterns, stream)) continue;
      const inspected = await this.inspect(found.storage, stream, files, c);
      if (isSluiceError(inspected)) {
        streams.push({ schema: streamSchema(stream, []), types: [], problem: inspected });
        continue;
      }
      const { fields, notes, estimatedRows, broken } = inspected;
      const types = fields.map((f) => {
        const type = formatType(f.type);
        return { column: f.name, from: f.native ?? type, to: type, verdict: 'exact' as const };
      });
      const estimatedBytes = files.reduce((sum, { size }) => sum + size, 0);
      streams.push({
        schema: streamSchema(stream, fields),
        types,
        notes,
        estimatedBytes,
        ...(estimatedRows !== undefined && { estimatedRows }),
        ...(broken && { broken }),
      });
    }
    if (patterns === undefined && streams.every(({ problem }) => problem === undefined)) {
      this.declared.requireKnown(streams.map(({ schema }) => schema));
    }
    return { streams };
  }

  /** A file's splits carry its size and version, so that a file is read once as it is. */
  async *splits(reads: readonly StreamRead[], known: readonly Split[], c: Context): AsyncIterable<Split> {
    const found = await findFiles(this.config, c.cwd);
    for (const { stream } of reads) {
      const files = found.streams.get(stream);
      if (files === undefined)
        throw fileErrors.nothingFound(`no file at ${found.storage.name} is stream ${stream}`);
      hiveColumns(stream, files, this.declared);
      const own = known.filter((split) => split.streams[0] === stream);
      const ids = new Set(own.map(({ id }) => id));
      const read = new Map<string, SplitSpec[]>();
      for (const { spec } of own) {
        const known = spec as unknown as SplitSpec;
        read.set(known.path, [...(read.get(known.path) ?? []), known]);
      }
      for (const file of files) {
        const version = this.versionKept(file, read.get(file.path) ?? []) ?? file.version;
        for (const part of await this.reader(found.storage, files).parts(file)) {
          const id = `${stream}/${file.path}@${file.size}-${version}${part.name}`;
          if (ids.has(id)) continue;
          const { path, size, format, ending, folders } = file;
          const columns = folders.length > 0 && { folders: folders.map((folder) => ({ ...folder })) };
          const spec = { path, size, version, format, ending, ...columns, part: part.spec };
          const { start, estimatedBytes } = part;
          yield { id, streams: [stream], phase: 'bulk', start, spec, estimatedBytes };
        }
      }
    }
  }

  async open(request: OpenRequest, c: Context): Promise<Reader> {
    const { split, at, cuts, reads, batchRows, batchBytes, tolerant = false } = request;
    const spec = split.spec as unknown as SplitSpec;
    const { storage } = await placeOf(this.config, c.cwd);
    const file: SourceFile = { ...spec, folders: spec.folders ?? [] };
    const requireSame = async () => {
      const now = await storage.stat(spec.path);
      if (now === undefined) throw changed(spec.path, 'is gone');
      if (now.size !== spec.size || !isSameVersion(spec.version, now.version)) {
        throw changed(spec.path, 'has changed since');
      }
    };
    await requireSame();
    const { schema } = reads[0]!;
    const reader = this.reader(storage, [file]);
    const bounds = { cuts, batchRows, batchBytes, tolerant };
    const constants = await constantsOf(file.path, file.folders, schema.fields);
    const read = reader.read({ file, spec: spec.part, schema, constants, at, ...bounds });
    const messages = stillSame(read, requireSame);
    return {
      [Symbol.asyncIterator]: (): AsyncIterator<Message> => messages,
      async close() {
        await messages.return(undefined);
      },
    };
  }

  /** What the files hold, or why they cannot be read: one broken file does not hide the other streams. */
  private async inspect(
    storage: Storage,
    stream: string,
    files: readonly SourceFile[],
    c: Context,
  ): Promise<Inspection | SluiceError> {
    try {
      const folders = hiveColumns(stream, files, this.declared);
      const inspection = await this.reader(storage, files).inspect(stream, files, c);
      const own = inspection.fields.filter(({ name }) => !folders.some((f) => f.name === name));
      if (folders.length === 0) return inspection;
      const notes = [...inspection.notes, `from folders: ${folders.map(({ name }) => name).join(', ')}`];
      return { ...inspection, fields: [...own, ...folders], notes };
    } catch (error) {
      if (!isSluiceError(error)) throw error;
      return error;
    }
  }

  /** The version under which an earlier run has read a file as it is; undefined where none has. */
  private versionKept(file: SourceFile, versions: readonly SplitSpec[]): string | undefined {
    const same = versions.find(
      ({ size, version }) => size === file.size && isSameVersion(version, file.version),
    );
    if (same !== undefined || versions.length === 0 || this.config.changed === 'reread') return same?.version;
    throw changed(file.path, `has changed since: ${versions[0]!.size} bytes then, ${file.size} bytes now`);
  }

  private reader(storage: Storage, files: readonly SourceFile[]): FormatReader {
    switch (files[0]!.format) {
      case 'csv':
        return new CsvReader(storage, this.config, this.declared);
      case 'parquet':
        return new ParquetReader(storage, this.declared);
      default:
        return new JsonReader(storage, this.config, this.declared);
    }
  }
}

/** Looks at the file once more before it is called complete: what was read may be of two versions. */
async function* stillSame(
  messages: AsyncGenerator<Message>,
  requireSame: () => Promise<void>,
): AsyncGenerator<Message> {
  for await (const message of messages) {
    if (message.kind === 'checkpoint' && message.sealed === true) await requireSame();
    yield message;
  }
}

function changed(path: string, what: string): Error {
  return fileErrors.fileChanged(`${path} was read or planned by an earlier run and ${what}`, {
    details: { file: path },
  });
}
