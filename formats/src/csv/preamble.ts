/** What stands before a CSV file's records: a byte order mark, lines to skip, the header. */
import type { BlockFeed } from '../text/block-feed.js';
import type { ScanState } from '../text/table-reader.js';
import type { ResolvedDialect } from './dialect.js';
import { csvErrors } from './errors.js';
import { recordAt, type TextRecord } from './record.js';
import { lineEnd } from './scan.js';

export interface Preamble {
  readonly names: readonly string[];
  /** Where the first record begins. */
  readonly state: ScanState;
}

export async function skipPreamble(
  feed: BlockFeed,
  dialect: ResolvedDialect,
  file: string,
): Promise<Preamble> {
  const state = { at: byteOrderMark(feed, file), lines: 0 };
  for (let i = 0; i < dialect.skip && state.at < feed.end; i++) {
    state.at = lineEnd(feed.bytes, state.at);
    state.lines++;
  }
  if (dialect.names !== undefined && !dialect.header) return { names: dialect.names, state };
  const first = await firstRecord(feed, state.at, dialect, file);
  if (!dialect.header) return { names: (first?.fields ?? []).map((_, i) => `column_${i + 1}`), state };
  if (first === undefined && dialect.names === undefined) {
    throw csvErrors.badHeader(`${file} is empty: there is no header to name the columns`, {
      details: { file },
    });
  }
  const names = dialect.names ?? headerNames(first!.fields, file);
  return { names, state: { at: first?.end ?? state.at, lines: state.lines + (first?.lines ?? 0) } };
}

function byteOrderMark({ bytes, end }: BlockFeed, file: string): number {
  if (end >= 2 && ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))) {
    throw csvErrors.notUtf8(`${file} is UTF-16 by its byte order mark`, { details: { file, line: 1 } });
  }
  return end >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

async function firstRecord(
  feed: BlockFeed,
  from: number,
  dialect: ResolvedDialect,
  file: string,
): Promise<TextRecord | undefined> {
  for (;;) {
    const record = recordAt(feed.bytes, from, feed.end, feed.final, dialect);
    if (record !== undefined) return record;
    if (feed.final) break;
    if (feed.end > dialect.maxRecordBytes) break;
    await feed.fill(0);
  }
  if (feed.final && from >= feed.end) return undefined;
  const rest = Buffer.from(feed.bytes.buffer, from, feed.end - from).toString('latin1');
  if (feed.final && /^[\r\n]*$/.test(rest)) return undefined;
  throw csvErrors.badHeader(`${file}: the first record is not well formed`, { details: { file } });
}

function headerNames(fields: readonly string[], file: string): string[] {
  const names = fields.map((name, i) => (name.trim() === '' ? `column_${i + 1}` : name.trim()));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw csvErrors.badHeader(`${file}: two columns are called ${twice}`, {
      details: { file, column: twice },
    });
  }
  return names;
}
