/** A stream that gets another shape on the way: its lane ends, its sinks follow, and the lane starts over. */
import { type StreamSchema, sameType } from '@sluice/sdk';
import { coreErrors } from '../errors.js';
import type { StreamPlan } from '../plan/flow-plan.js';

/** Thrown out of a lane that has met a row of another shape; everything up to its last checkpoint is committed. */
export class ShapeChanged extends Error {
  constructor(readonly schema: StreamSchema) {
    super(`stream ${schema.stream} has another shape`);
  }
}

/** How often a split may change its shape at one place before that is called endless. */
const MOST_CHANGES = 3;

/** Counts the changes of splits, so that a reader that takes no shape for the right one is found out. */
export class ShapeChanges {
  private readonly last = new Map<string, { readonly place: string; readonly times: number }>();

  /** Throws `SLUICE-CORE-0109` for a change that changes nothing, or that comes again and again. */
  admit(split: string, place: string, { read }: StreamPlan, schema: StreamSchema): void {
    const known = this.last.get(split);
    const times = known?.place === place ? known.times + 1 : 1;
    this.last.set(split, { place, times });
    if (times <= MOST_CHANGES && !sameShape(read.schema, schema)) return;
    throw coreErrors.sourceDrifted(
      `stream ${schema.stream} changed its columns while it was read, and cannot be read with those that it has now`,
      { details: { stream: schema.stream } },
    );
  }
}

function sameShape(a: StreamSchema, b: StreamSchema): boolean {
  return (
    a.fields.length === b.fields.length &&
    a.fields.every((f, i) => {
      const other = b.fields[i]!;
      return f.name === other.name && f.nullable === other.nullable && sameType(f.type, other.type);
    })
  );
}
