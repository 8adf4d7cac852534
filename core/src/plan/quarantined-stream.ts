/**
 * Streams that a flow goes on without. An error quarantines a stream when it names it, the job allows that, and waiting
 * would not help; an error that names none stops the flow, whichever stream was under way.
 */
import { matchesAny, type SluiceError, streamOf } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import type { OnStreamFailure } from '../job/job.js';
import type { FlowKey, Ledger, Quarantine } from '../ledger/ledger.js';
import { isPassing } from '../run/backoff.js';

/** A stream that the job selects and the flow goes on without. */
export interface QuarantinedStream {
  readonly stream: string;
  readonly error: Quarantine['error'];
  /** Since when, in epoch milliseconds; undefined while the ledger does not know it. */
  readonly at?: number;
}

/** A stream that an error may name: by its own name, or by those under which its rows arrive at sinks. */
interface Nameable {
  readonly stream: string;
  readonly onFailure: OnStreamFailure;
  readonly arrivesAs?: readonly string[];
}

/** The stream that the flow can go on without after this error. */
export function streamToLeave(error: SluiceError, streams: readonly Nameable[]): string | undefined {
  const name = streamOf(error);
  if (name === undefined || isPassing(error)) return undefined;
  const found = streams.find(({ stream, arrivesAs = [] }) => stream === name || arrivesAs.includes(name));
  return found?.onFailure === 'quarantine' ? found.stream : undefined;
}

/** The streams that the ledger leaves out: not those that are copied anew, because that is asked for or all are. */
export async function leftOut(
  ledger: Pick<Ledger, 'flow' | 'requestedCopies'>,
  key: FlowKey,
  fresh: readonly string[],
): Promise<QuarantinedStream[]> {
  const asked = await ledger.requestedCopies(key);
  const { streams } = await ledger.flow(key);
  return Object.entries(streams).flatMap(([stream, { quarantined }]) =>
    quarantined === undefined || asked.includes(stream) || matchesAny(fresh, stream)
      ? []
      : [{ stream, ...quarantined }],
  );
}

/** A flow of which every stream is left out has nothing to do. */
export function noneLeft({ flow }: FlowKey, quarantined: readonly QuarantinedStream[]): SluiceError {
  const reasons = quarantined.map(({ stream, error }) => `${stream}: ${error.message} (${error.code})`);
  return coreErrors.allQuarantined(`no stream of flow ${flow} is left; ${reasons.join('; ')}`);
}
