/**
 * A queue on disk of one split's messages, between a source that gives them once and the lanes that read them: as
 * often as they need to, from any checkpoint that they have not let go of. It is made of segments, files that begin
 * and end at a checkpoint; one that everybody is behind is removed.
 *
 * What is behind the last checkpoint when a process dies was not acknowledged, and is dropped: the source has it.
 */
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { failpoint, type Json, type Message } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import { bodyLength, HEADER_BYTES, parseRecord, recordBytes, type SpoolRecord } from './spool-record.js';

/** A segment is closed at the first checkpoint behind this many bytes. */
const SEGMENT_BYTES = 16 * 1024 * 1024;

interface Segment {
  readonly number: number;
  readonly file: FileHandle;
  readonly path: string;
  /** Bytes that are written. */
  size: number;
  /** Places behind its checkpoints, and its beginning, by position as text. */
  readonly places: Map<string, number>;
  sealed: boolean;
}

/** Where a reader is: the next record of a segment. */
export interface SpoolPlace {
  readonly segment: number;
  readonly offset: number;
}

export class Spool {
  private segments: Segment[] = [];
  /** The message that was added last, and where: whoever follows closely need not read it. */
  private newest: { readonly place: SpoolPlace; readonly message: Message } | undefined;

  private constructor(private readonly folder: string) {}

  /** The spool in a folder, with what an earlier process left there. Throws `SLUICE-CORE-0141`. */
  static async open(folder: string): Promise<Spool> {
    const spool = new Spool(folder);
    await onDisk(folder, async () => {
      await mkdir(folder, { recursive: true });
      const numbers = (await readdir(folder))
        .flatMap((name) => /^(\d+)\.spool$/.exec(name)?.[1] ?? [])
        .map(Number);
      for (const number of numbers.sort((a, b) => a - b)) await spool.recover(number);
    });
    return spool;
  }

  /** The last checkpoint that is on disk; undefined where there is none. */
  get end(): { readonly position: Json; readonly sealed: boolean } | undefined {
    const last = this.segments.at(-1);
    const position = last && [...last.places.keys()].at(-1);
    return position === undefined ? undefined : { position: JSON.parse(position), sealed: last!.sealed };
  }

  /** Where reading goes on behind a position. Throws `SLUICE-CORE-0140` where it was let go of. */
  placeOf(position: Json): SpoolPlace {
    const text = JSON.stringify(position);
    // The later of two: the end of a segment is the beginning of the next.
    for (const { number, places } of [...this.segments].reverse()) {
      const offset = places.get(text);
      if (offset !== undefined) return { segment: number, offset };
    }
    throw coreErrors.spoolLacks(`what is behind position ${text} is not in the spool ${this.folder}`);
  }

  /** Adds a message; a checkpoint is on disk with all that is before it when this returns. */
  async add(message: Message, from: Json): Promise<void> {
    await onDisk(this.folder, async () => {
      let segment = this.segments.at(-1);
      if (
        segment === undefined ||
        (segment.size >= SEGMENT_BYTES && segment.places.has(JSON.stringify(from)))
      ) {
        if (segment === undefined || this.endsAtCheckpoint(segment)) segment = await this.begin(from);
      }
      const place = { segment: segment.number, offset: segment.size };
      await write(segment, message);
      this.newest = { place, message };
      if (message.kind !== 'checkpoint') return;
      await segment.file.datasync();
      failpoint('spool.synced');
      segment.places.set(JSON.stringify(message.position), segment.size);
      segment.sealed = message.sealed === true;
    });
  }

  /** The next message and the place behind it; undefined at the end of what was added. */
  async next(
    place: SpoolPlace,
  ): Promise<{ readonly message: Message; readonly behind: SpoolPlace } | undefined> {
    const at = this.segments.findIndex(({ number }) => number === place.segment);
    const segment = this.segments[at];
    if (segment === undefined)
      throw coreErrors.spoolLacks(`segment ${place.segment} of ${this.folder} is gone`);
    if (place.offset >= segment.size) {
      const following = this.segments[at + 1];
      return following && this.next({ segment: following.number, offset: 0 });
    }
    const header = await piece(segment.file, place.offset, HEADER_BYTES);
    const length = bodyLength(header);
    const behind = { segment: place.segment, offset: place.offset + HEADER_BYTES + length };
    const { newest } = this;
    if (newest?.place.segment === place.segment && newest.place.offset === place.offset)
      return { message: newest.message, behind };
    const record = parseRecord(header, await piece(segment.file, place.offset + HEADER_BYTES, length));
    if (record === undefined) throw coreErrors.spoolFailed(`${segment.path} is damaged at ${place.offset}`);
    return record.kind === 'start' ? this.next(behind) : { message: record, behind };
  }

  /** Removes what is before a position that everybody is behind. */
  async forget(position: Json): Promise<void> {
    const { segment } = this.placeOf(position);
    const old = this.segments.filter(({ number }) => number < segment);
    this.segments = this.segments.filter(({ number }) => number >= segment);
    for (const each of old) await remove(each);
  }

  /** Removes everything. */
  async clear(): Promise<void> {
    const all = this.segments;
    this.segments = [];
    this.newest = undefined;
    for (const each of all) await remove(each);
  }

  async close(): Promise<void> {
    for (const { file } of this.segments) await file.close();
    this.segments = [];
  }

  private endsAtCheckpoint({ size, places }: Segment): boolean {
    return [...places.values()].at(-1) === size;
  }

  private async begin(from: Json): Promise<Segment> {
    const number = (this.segments.at(-1)?.number ?? 0) + 1;
    const segment = await this.segment(number, 'w+');
    await write(segment, { kind: 'start', position: from });
    segment.places.set(JSON.stringify(from), segment.size);
    await segment.file.datasync();
    const folder = await open(this.folder);
    await folder.sync().finally(() => folder.close());
    this.segments.push(segment);
    return segment;
  }

  private async segment(number: number, flags: string): Promise<Segment> {
    const path = join(this.folder, `${String(number).padStart(10, '0')}.spool`);
    const file = await open(path, flags);
    return { number, file, path, size: 0, places: new Map(), sealed: false };
  }

  /** Reads a segment up to its last checkpoint, and cuts off what is behind. */
  private async recover(number: number): Promise<void> {
    const segment = await this.segment(number, 'r+');
    const { size } = await segment.file.stat();
    let offset = 0;
    for (;;) {
      const record = await recordAt(segment.file, offset, size);
      if (record === undefined) break;
      offset = record.behind;
      if (record.record.kind !== 'start' && record.record.kind !== 'checkpoint') continue;
      segment.places.set(JSON.stringify(record.record.position), offset);
      segment.size = offset;
      segment.sealed = record.record.kind === 'checkpoint' && record.record.sealed === true;
    }
    if (segment.size === 0) {
      await remove(segment);
      return;
    }
    await segment.file.truncate(segment.size);
    this.segments.push(segment);
  }
}

async function recordAt(
  file: FileHandle,
  offset: number,
  size: number,
): Promise<{ readonly record: SpoolRecord; readonly behind: number } | undefined> {
  if (offset + HEADER_BYTES > size) return undefined;
  const header = await piece(file, offset, HEADER_BYTES);
  const behind = offset + HEADER_BYTES + bodyLength(header);
  if (behind > size) return undefined;
  const record = parseRecord(header, await piece(file, offset + HEADER_BYTES, bodyLength(header)));
  return record && { record, behind };
}

async function write(segment: Segment, record: SpoolRecord): Promise<void> {
  const bytes = recordBytes(record);
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await segment.file.write(bytes, done, bytes.length - done, segment.size + done);
    done += bytesWritten;
  }
  segment.size += bytes.length;
}

async function piece(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) throw coreErrors.spoolFailed(`a spool ends at ${offset + done}, within a record`);
    done += bytesRead;
  }
  return bytes;
}

async function remove({ file, path }: Segment): Promise<void> {
  await file.close();
  await rm(path, { force: true });
}

async function onDisk(folder: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw coreErrors.spoolFailed(`the spool ${folder} cannot be used: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
