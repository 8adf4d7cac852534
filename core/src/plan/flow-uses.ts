/** What a flow reads and writes, as far as it can be told from discovery alone: for looking at systems before planning. */
import type { CatalogStream, DiagnosedStream, DiagnosedTarget, SinkCapabilities } from '@sluice/sdk';
import { isExact, renderName } from '@sluice/sdk';
import type { JobFlow, JobSink } from '../job/job.js';
import { discoveryPatterns, streamSettings, targetSettings } from '../job/stream-settings.js';
import { defaultWrite } from './modes-matrix.js';

/** The streams that the flow reads: those that were found, and those that the job names though they were not. */
export function streamsRead(flow: JobFlow, found: readonly CatalogStream[]): DiagnosedStream[] {
  const names = found.map(({ schema }) => schema.stream);
  const named = (discoveryPatterns(flow) ?? []).filter(isExact);
  return [...new Set([...names, ...named])].flatMap((stream) => {
    const settings = streamSettings(flow, stream);
    return settings === undefined ? [] : [{ stream, mode: settings.mode }];
  });
}

/** The targets of a sink for the streams that were found, before transforms change a stream's key. */
export function targetsWritten(
  flow: JobFlow,
  sink: JobSink,
  found: readonly CatalogStream[],
  capabilities: SinkCapabilities,
): DiagnosedTarget[] {
  return found.flatMap(({ schema: { stream, key } }) => {
    const settings = streamSettings(flow, stream);
    const target = targetSettings(sink, stream);
    if (settings === undefined || target === undefined) return [];
    const hasKey = (settings.key ?? key).length > 0;
    const write = target.write ?? defaultWrite(settings.mode, hasKey, capabilities);
    return [{ stream, target: renderName(target.name ?? '{name}', stream), write, save: target.save }];
  });
}
