/** Binds a flow's transforms to one stream, in order, each to what the one before makes. */
import {
  type BoundTransform,
  formatType,
  matchesAny,
  nearestName,
  type StreamSchema,
  type Transform,
} from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import { checkSettings, type Settings, settingsAt } from '../job/check-settings.js';
import type { JobTransform } from '../job/job.js';
import type { CheckedStream, FlowRequest } from './flow-request.js';
import { requireValues } from './needed-values.js';

/** The transforms of a stream: the types that the job declares first, then those of the flow that match it. */
export async function bindTransforms(
  schema: StreamSchema,
  settings: CheckedStream,
  request: FlowRequest,
  cwd: string,
): Promise<BoundTransform[]> {
  const uses: JobTransform[] = [];
  const casts = declaredTypes(schema, settings);
  if (Object.keys(casts).length > 0) uses.push({ use: 'cast', settings: settingsAt([], { columns: casts }) });
  for (const use of request.transforms) {
    if (use.streams === undefined || matchesAny(use.streams, schema.stream)) uses.push(use);
  }
  const bound: BoundTransform[] = [];
  let current = schema;
  for (const { use, settings: own } of uses) {
    if (bound.at(-1)?.routes !== undefined) {
      throw coreErrors.routeNotLast(
        `stream ${schema.stream}: ${use} would follow a transform that routes its rows`,
      );
    }
    const transform = await bindTransform(use, own, current, request, cwd);
    bound.push(transform);
    current = transform.out;
  }
  return bound;
}

/** Binds one transform by name. */
export async function bindTransform(
  use: string,
  settings: Settings,
  schema: StreamSchema,
  request: FlowRequest,
  cwd: string,
): Promise<BoundTransform> {
  const transform: Transform | undefined = request.transformsByName[use];
  if (transform === undefined) {
    const near = nearestName(use, Object.keys(request.transformsByName));
    throw coreErrors.transformMissing(
      `there is no transform "${use}"${near ? `; did you mean "${near}"?` : ''}`,
    );
  }
  const options = checkSettings(transform.options, settings, request.values, coreErrors.jobInvalid);
  const bound = await transform.bind(schema, options, { cwd });
  requireValues(use, schema, bound.needs ?? {});
  return bound;
}

function declaredTypes(schema: StreamSchema, { columns }: CheckedStream): { [column: string]: string } {
  const casts: { [column: string]: string } = {};
  for (const [column, { type }] of Object.entries(columns)) {
    const field = schema.fields.find(({ name }) => name === column);
    if (field === undefined) {
      const near = nearestName(
        column,
        schema.fields.map(({ name }) => name),
      );
      throw coreErrors.jobInvalid(
        `stream ${schema.stream} has no column "${column}"${near ? `; did you mean "${near}"?` : ''}`,
      );
    }
    if (type !== undefined && type !== formatType(field.type)) casts[column] = type;
  }
  return casts;
}
