/** The settings of a flow's streams with the connectors' own options checked, as the planner takes them. */
import { type Connector, type JsonObject, sdkErrors } from '@sluice/sdk';
import { z } from 'zod';
import { checkSettings, type Settings } from './check-settings.js';
import type { Job, JobConnection, JobFlow, JobSink } from './job.js';
import { type StreamChoice, streamSettings, type TargetChoice, targetSettings } from './stream-settings.js';

/** A connection's configuration. Throws `SLUICE-SDK-0003` with every wrong key and its place. */
export function connectionConfig(job: Job, connection: JobConnection, connector: Connector): unknown {
  return checkSettings(connector.config, connection.settings, job, sdkErrors.configInvalid);
}

/** What the job says of reading a stream; undefined when the stream is not part of the flow. */
export function checkedStreamSettings(
  job: Job,
  flow: JobFlow,
  connector: Connector,
  stream: string,
): (Omit<StreamChoice, 'source'> & { readonly source: JsonObject }) | undefined {
  const choice = streamSettings(flow, stream);
  return choice && { ...choice, source: checkedOptions(job, connector.source?.options, choice.source) };
}

/** What the job says of writing a stream; undefined when the sink does not take it. */
export function checkedTargetSettings(
  job: Job,
  sink: JobSink,
  connector: Connector,
  stream: string,
): (Omit<TargetChoice, 'options'> & { readonly options: JsonObject }) | undefined {
  const choice = targetSettings(sink, stream);
  return choice && { ...choice, options: checkedOptions(job, connector.sink?.options, choice.options) };
}

/** For connectors that take no options: every key is refused. */
const noOptions = z.strictObject({});

function checkedOptions(job: Job, schema: z.ZodType | undefined, settings: Settings): JsonObject {
  return checkSettings(schema ?? noOptions, settings, job, sdkErrors.configInvalid) as JsonObject;
}
