/** Shared by the tests of transforms. */
import {
  type Batch,
  type BoundTransform,
  isSluiceError,
  type SluiceError,
  type StreamSchema,
} from '@sluice/sdk';
import { transforms } from './index.js';

/** Binds a transform with options as a job file gives them. */
export async function bindTransform(
  name: string,
  schema: StreamSchema,
  options: unknown,
  cwd = '.',
): Promise<BoundTransform> {
  const transform = transforms[name]!;
  return transform.bind(schema, transform.options.parse(options), { cwd });
}

/** The only batch that a transform makes of one. */
export function applied(bound: BoundTransform, batch: Batch): Batch {
  const [made, ...more] = bound.apply(batch);
  if (made === undefined || more.length > 0) throw new Error(`expected one batch, got ${more.length}`);
  return made;
}

/** The coded error of a promise or function. */
export async function errorOf(work: () => unknown): Promise<SluiceError> {
  try {
    await work();
  } catch (error) {
    if (isSluiceError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** A batch whose columns may be looked at only where `readable` says so. */
export function guarded(batch: Batch, readable: readonly string[]): Batch {
  return batch.derive(
    batch.schema,
    batch.schema.fields.map(({ name }, i) => () => {
      if (!readable.includes(name)) throw new Error(`column ${name} was decoded`);
      return batch.column(i);
    }),
  );
}
