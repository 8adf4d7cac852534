/** A run on a terminal: one line a stream, drawn again in place, with log messages above. */
import type { RunEvent } from '@sluice/core';
import type { Logger } from '@sluice/sdk';
import { humanLogger } from '../output/human-logger.js';
import { LiveLines } from '../output/live-lines.js';
import type { LogLevel } from '../output/log-level.js';
import { formatDuration } from '../output/numbers.js';
import type { OutStream } from '../output/out-stream.js';
import { Progress } from './progress.js';
import { progressLines } from './progress-lines.js';
import { quarantineText } from './quarantine-text.js';
import type { RunView } from './run-view.js';

const FRAME_MS = 120;

export class LiveView implements RunView {
  readonly log: Logger;
  private readonly lines: LiveLines;
  private readonly progress = new Progress();
  private readonly timer: NodeJS.Timeout;
  private frame = 0;
  private action = '';
  private ended = false;

  constructor(
    private readonly stream: OutStream,
    level: LogLevel,
  ) {
    this.lines = new LiveLines(stream);
    this.log = humanLogger((line) => this.print(line), level, stream.colours, false);
    this.timer = setInterval(() => {
      this.frame++;
      this.draw();
    }, FRAME_MS);
    this.timer.unref();
  }

  readonly listener = (event: RunEvent): void => {
    this.progress.apply(event);
    if (event.event === 'run.started') this.action = '';
    if (event.event === 'sink.detached') {
      const { flow, sink, error } = event;
      this.log.warn(`flow ${flow} goes on without sink ${sink}: ${error.message}`, { code: error.code });
    }
    if (event.event === 'stream.quarantined')
      this.log.warn(quarantineText(event), { code: event.error.code });
    if (event.event === 'flow.retrying') {
      const { error, attempt, delayMs, flow } = event;
      const wait = formatDuration(delayMs);
      this.log.warn(`flow ${flow}: ${error.message}; attempt ${attempt + 1} in ${wait}`, {
        code: error.code,
      });
    }
  };

  doing(what: string): void {
    this.action = what;
    this.draw();
  }

  end(): void {
    this.ended = true;
    clearInterval(this.timer);
    this.lines.clear();
  }

  private print(line: string): void {
    if (this.ended) this.stream.line(line);
    else this.lines.printAbove(line, this.frameLines());
  }

  private draw(): void {
    if (!this.ended) this.lines.draw(this.frameLines());
  }

  private frameLines(): string[] {
    const { colours, width = 80, height } = this.stream;
    const streams = this.progress.streams(Date.now());
    const lines =
      streams.length > 0 ? progressLines(streams, { width, height, colours, frame: this.frame }) : [];
    return this.action === '' ? lines : [...lines, colours.dim(this.action.slice(0, width - 1))];
  }
}
