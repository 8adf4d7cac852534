/** Draws progress as lines that fit a terminal: more facts where there is room, the important ones where there is not. */
import { cellWidth, cut, pad, visible } from '../output/cells.js';
import type { Colours } from '../output/colours.js';
import { formatBytes, formatCount, formatDuration, formatShort } from '../output/numbers.js';
import type { StreamPhase, StreamProgress } from './progress.js';

export interface Screen {
  readonly width: number;
  readonly height: number;
  readonly colours: Colours;
  /** Counts frames, for the sign that something moves. */
  readonly frame: number;
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const SPINNER_NARROWEST = 24;
const BAR_WIDTH = 20;

/** One line a stream, at most as many as the terminal is high; those under way come first then. */
export function progressLines(streams: readonly StreamProgress[], screen: Screen): string[] {
  const room = Math.max(1, screen.height - 2);
  const shown = streams.length <= room ? streams : mostInteresting(streams, room - 1);
  const nameWidth = Math.max(...shown.map(({ stream }) => cellWidth(visible(stream))), 6);
  const lines = shown.map((stream) => streamLine(stream, nameWidth, screen));
  if (shown.length < streams.length) lines.push(screen.colours.dim(restLine(streams, shown, screen.width)));
  return lines;
}

const INTEREST: { readonly [P in StreamPhase]: number } = {
  retrying: 0,
  copying: 1,
  complete: 2,
  waiting: 3,
};

function mostInteresting(streams: readonly StreamProgress[], count: number): StreamProgress[] {
  const ranked = [...streams].sort((a, b) => INTEREST[a.phase] - INTEREST[b.phase]).slice(0, count);
  return streams.filter((stream) => ranked.includes(stream));
}

function restLine(all: readonly StreamProgress[], shown: readonly StreamProgress[], width: number): string {
  const rest = all.filter((stream) => !shown.includes(stream));
  const complete = rest.filter(({ phase }) => phase === 'complete').length;
  return cut(`  and ${rest.length} more, ${complete} of them complete`, width);
}

/** A part of a line: shown when it and everything before it fits. */
interface Part {
  readonly text: string;
  readonly width: number;
  readonly align?: 'left' | 'right';
  readonly paint?: (text: string) => string;
}

function streamLine(stream: StreamProgress, nameWidth: number, screen: Screen): string {
  const { width, colours } = screen;
  const name = visible(stream.stream);
  const sign = width >= SPINNER_NARROWEST ? `${phaseSign(stream.phase, screen)} ` : '';
  let room = width - 1 - cellWidth(sign);
  const nameRoom = Math.min(nameWidth, Math.max(8, Math.floor(width * 0.4)), room);
  let line = sign + pad(cut(name, nameRoom), nameRoom);
  room -= nameRoom;
  for (const { text, width: cells, align = 'right', paint = (plain: string) => plain } of parts(
    stream,
    width,
    colours,
  )) {
    const wanted = Math.max(cells, cellWidth(text));
    if (wanted + 2 > room) break;
    line += `  ${paint(pad(text, wanted, align))}`;
    room -= wanted + 2;
  }
  return line.trimEnd();
}

function parts(stream: StreamProgress, width: number, colours: Colours): Part[] {
  const { counts, rate, share, phase, remainingMs } = stream;
  const wide = width >= 80;
  const rows = wide ? formatCount(counts.read) : formatShort(counts.read);
  const state = stateText(stream);
  const list: Part[] = [{ text: rows, width: wide ? 12 : 5 }];
  if (share !== undefined) list.push({ text: `${Math.floor(share * 100)}%`, width: 4 });
  if (phase === 'complete' || phase === 'waiting' || phase === 'retrying') {
    return [...list, { text: state, width: 0, align: 'left', paint: colours.dim }];
  }
  list.push({ text: wide ? `${formatShort(rate)} rows/s` : `${formatShort(rate)}/s`, width: wide ? 12 : 7 });
  if (remainingMs !== undefined)
    list.push({ text: `ETA ${formatDuration(remainingMs)}`, width: 12, align: 'left' });
  list.push({ text: formatBytes(counts.bytes), width: 8 });
  if (share !== undefined)
    list.push({ text: bar(share), width: BAR_WIDTH, align: 'left', paint: colours.cyan });
  list.push({ text: `→ ${visible(stream.target)}`, width: 0, align: 'left', paint: colours.dim });
  return list;
}

function stateText({ phase, target, counts }: StreamProgress): string {
  if (phase === 'retrying') return 'waiting to try again';
  if (phase === 'waiting') return 'waiting';
  return counts.read === 0 ? 'no new rows' : `complete → ${visible(target)}`;
}

function phaseSign(phase: StreamPhase, { colours, frame }: Screen): string {
  if (phase === 'complete') return colours.green('✔');
  if (phase === 'retrying') return colours.yellow('↻');
  return phase === 'waiting' ? colours.dim('·') : colours.cyan(SPINNER[frame % SPINNER.length]!);
}

function bar(share: number): string {
  const filled = Math.round(Math.min(1, share) * BAR_WIDTH);
  return '━'.repeat(filled) + '╌'.repeat(BAR_WIDTH - filled);
}
