/** Chooses how a run is shown: by what was asked for and by what is listening. */
import { humanLogger } from '../output/human-logger.js';
import type { LogLevel } from '../output/log-level.js';
import type { OutStream } from '../output/out-stream.js';
import type { Output } from '../output/output.js';
import { EventView } from './event-view.js';
import { LiveView } from './live-view.js';
import { PlainView } from './plain-view.js';
import type { RunView } from './run-view.js';

/**
 * `results` is the stream that results go to: stdout, or stderr where rows go to stdout. Progress is drawn in place
 * only where no rows come in between.
 */
export async function chooseView(output: Output, results: OutStream): Promise<RunView> {
  const { stderr, json, quiet, debug } = output;
  if (json) {
    const { jsonLogger } = await import('../output/json-logger.js');
    return new EventView(jsonLogger(stderr, debug ? 'debug' : quiet ? 'error' : 'info'), results);
  }
  const rowsOnTerminal = results === stderr && output.stdout.isTTY;
  const level = (least: LogLevel): LogLevel => (debug ? 'debug' : quiet ? 'error' : least);
  const print = (line: string) => stderr.line(line);
  if (quiet) return new PlainView(humanLogger(print, level('error'), stderr.colours, !stderr.isTTY));
  if (stderr.isTTY && rowsOnTerminal)
    return new PlainView(humanLogger(print, level('warn'), stderr.colours, false));
  if (stderr.isTTY) return new LiveView(stderr, level('warn'));
  return new PlainView(humanLogger(print, level('info'), stderr.colours, true));
}
