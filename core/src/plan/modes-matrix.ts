/**
 * The matrix of read modes, write modes and save modes: which combinations run, and why the others do not.
 */
import type {
  Deletes,
  ReadMode,
  SaveMode,
  SinkCapabilities,
  SourceCapabilities,
  WriteMode,
} from '@sluice/sdk';

export interface Combination {
  readonly read: ReadMode;
  readonly write: WriteMode;
  readonly save: SaveMode;
  readonly hasKey: boolean;
  readonly hasCursor: boolean;
  /** What becomes of rows that are deleted at the source. */
  readonly deletes?: Deletes;
}

/** Whether a target of changes shows each of them, so that none may come twice. */
export function showsEachOnce({ write }: Pick<Combination, 'write'>): boolean {
  return write === 'append' || write === 'history';
}

/** The reason why a combination is refused; undefined when it runs. */
export function refusal(
  c: Combination,
  source: SourceCapabilities,
  sink: SinkCapabilities,
): string | undefined {
  if (!source.modes.includes(c.read)) {
    return `the source reads ${source.modes.join(' and ')}, not ${c.read}`;
  }
  if (sink.modes[c.write] === undefined) {
    return `the sink writes ${Object.keys(sink.modes).join(' and ')}, not ${c.write}`;
  }
  if (c.read !== 'full' && c.write === 'replace') {
    return `write mode replace needs every row in each run; read mode ${c.read} brings only what is new`;
  }
  if (c.read !== 'full' && c.write === 'mirror') {
    return `write mode mirror deletes what a full copy no longer has; read mode ${c.read} brings only what is new`;
  }
  if (c.read !== 'cdc' && c.write === 'history') {
    return `write mode history keeps what happened to rows; read mode ${c.read} brings them as they are, use cdc`;
  }
  if (c.read === 'cdc' && showsEachOnce(c) && source.once !== true) {
    return `write mode ${c.write} would keep what changes during the copy twice: the source cannot tell what a copy shows; use upsert`;
  }
  if (c.deletes === 'soft' && (c.read !== 'cdc' || c.write !== 'upsert')) {
    return '`"deletes": "soft"` is for read mode cdc with write mode upsert';
  }
  if (c.deletes === 'soft' && sink.marks !== true) {
    return 'the sink cannot keep rows that are deleted at the source (`"deletes": "soft"`)';
  }
  if (c.write === 'history' && !c.hasKey) {
    return 'write mode history needs a key, and the stream has none; set `key`';
  }
  if (c.write === 'upsert' && !c.hasKey) {
    return 'write mode upsert needs a key, and the stream has none; set `key`';
  }
  if (c.write === 'mirror' && !c.hasKey) {
    return 'write mode mirror needs a key, and the stream has none; set `key`';
  }
  if (c.save === 'recreate' && c.read !== 'full') {
    return `save mode recreate would drop what earlier runs brought; read mode ${c.read} does not bring it again`;
  }
  return undefined;
}

/** The write mode of a stream whose job names none: what loses nothing and doubles nothing. */
export function defaultWrite(read: ReadMode, hasKey: boolean, sink: SinkCapabilities): WriteMode {
  if (read === 'full') return sink.modes.replace !== undefined ? 'replace' : firstOf(sink, hasKey);
  return firstOf(sink, hasKey);
}

/** The write modes that run, the proposed one first; none where the read mode itself does not. */
export function possibleWrites(
  c: Omit<Combination, 'write'>,
  source: SourceCapabilities,
  sink: SinkCapabilities,
): WriteMode[] {
  const runs = (Object.keys(sink.modes) as WriteMode[]).filter(
    (write) => refusal({ ...c, write }, source, sink) === undefined,
  );
  const proposed = defaultWrite(c.read, c.hasKey, sink);
  return [...runs.filter((write) => write === proposed), ...runs.filter((write) => write !== proposed)];
}

function firstOf(sink: SinkCapabilities, hasKey: boolean): WriteMode {
  if (hasKey && sink.modes.upsert !== undefined) return 'upsert';
  return sink.modes.append !== undefined
    ? 'append'
    : ((Object.keys(sink.modes)[0] as WriteMode | undefined) ?? 'append');
}
