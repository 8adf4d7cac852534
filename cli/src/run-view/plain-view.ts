/** A run where there is no terminal: plain lines, few enough for a log. */
import type { RunEvent } from '@sluice/core';
import type { Logger } from '@sluice/sdk';
import { formatBytes, formatCount, formatDuration, plural } from '../output/numbers.js';
import { Progress } from './progress.js';
import { quarantineText } from './quarantine-text.js';
import type { RunView } from './run-view.js';

const REPORT_MS = 10_000;

export class PlainView implements RunView {
  private readonly progress = new Progress();
  private reported = 0;

  constructor(
    readonly log: Logger,
    private readonly reportMs = REPORT_MS,
  ) {}

  readonly listener = (event: RunEvent): void => {
    this.progress.apply(event);
    switch (event.event) {
      case 'run.started':
        this.reported = event.at;
        this.log.info(`run of ${event.job} began`, { run: event.run });
        break;
      case 'stream.started': {
        const { stream, target, generation, splits, fresh } = event;
        const verb = fresh ? 'began' : 'continues';
        this.log.info(`stream ${stream} → ${target} ${verb}`, { generation, splits });
        break;
      }
      case 'stream.progress':
        if (event.at - this.reported >= this.reportMs) this.report(event.at);
        break;
      case 'stream.published':
        this.log.info(`stream ${event.stream} → ${event.target} is complete`, {
          generation: event.generation,
        });
        break;
      case 'sink.detached': {
        const { flow, sink, error } = event;
        this.log.warn(`flow ${flow} goes on without sink ${sink}: ${error.message}`, { code: error.code });
        break;
      }
      case 'stream.quarantined':
        this.log.warn(quarantineText(event), { code: event.error.code });
        break;
      case 'flow.retrying': {
        const { flow, error, attempt, delayMs } = event;
        this.log.warn(`flow ${flow} tries again in ${formatDuration(delayMs)}: ${error.message}`, {
          code: error.code,
          attempt: attempt + 1,
        });
        break;
      }
      case 'run.ended': {
        const { status, rows, startedAt, endedAt, streams } = event.result;
        for (const { stream, target, committed } of streams) {
          if (committed > 0)
            this.log.info(`stream ${stream} → ${target}: ${plural(committed, 'row')} written`);
        }
        const what = `${plural(rows, 'row')} in ${formatDuration(endedAt - startedAt)}`;
        this.log.info(`run of ${event.job} ${status}: ${what}`);
        break;
      }
      case 'epoch.committed': {
        const { split, epoch, rows, bytes, sealed, delayMs } = event;
        this.log.debug('epoch committed', { split, epoch, rows, bytes, sealed, delayMs });
        break;
      }
      case 'log.lag': {
        const { flow, bytes, kept } = event;
        this.log.debug(`flow ${flow} is ${formatBytes(bytes)} behind its log`, { bytes, kept });
        break;
      }
      default:
    }
  };

  doing(what: string): void {
    this.log.debug(what);
  }

  end(): void {}

  private report(now: number): void {
    this.reported = now;
    for (const { stream, phase, counts, rate, share, remainingMs } of this.progress.streams(now)) {
      if (phase !== 'copying') continue;
      this.log.info(`stream ${stream}: ${formatCount(counts.read)} rows read`, {
        bytes: formatBytes(counts.bytes),
        rate: `${formatCount(rate)}/s`,
        ...(share !== undefined && { done: `${Math.floor(share * 100)}%` }),
        ...(remainingMs !== undefined && { remaining: formatDuration(remainingMs) }),
      });
    }
  }
}
