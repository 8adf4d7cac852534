/**
 * Looking into zod schemas: what is expected at a place of a value. Only the schema's own description is read; a
 * value that has been parsed is never needed.
 */
import type { z } from 'zod';
import type { Path } from './path-text.js';

type Def = z.core.$ZodTypeDef & {
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly out?: z.ZodType;
  readonly getter?: () => z.ZodType;
  readonly shape?: { readonly [key: string]: z.ZodType };
  readonly catchall?: z.ZodType;
  readonly element?: z.ZodType;
  readonly items?: readonly z.ZodType[];
  readonly rest?: z.ZodType | null;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly left?: z.ZodType;
  readonly right?: z.ZodType;
};

function definition(schema: z.ZodType): Def {
  return schema._zod.def as Def;
}

/** The schema without what is around it: optional, default, transformations behind it. */
export function unwrap(schema: z.ZodType): z.ZodType {
  for (let current = schema; ; ) {
    const { innerType, in: input, out, getter } = definition(current);
    // A transformation in front (`z.preprocess`) takes anything; what it makes is what is meant.
    const piped = input !== undefined && definition(input).type === 'transform' ? out : input;
    const inner = innerType ?? piped ?? getter?.();
    if (inner === undefined) return current;
    current = inner;
  }
}

/** `object`, `string`, …: zod's name for what the schema takes. */
export function kindOf(schema: z.ZodType): string {
  return definition(unwrap(schema)).type;
}

/** The alternatives of a union or both sides of an intersection; the schema itself when it is neither. */
export function alternatives(schema: z.ZodType): readonly z.ZodType[] {
  const inner = unwrap(schema);
  const { options, left, right } = definition(inner);
  if (options !== undefined) return options.flatMap(alternatives);
  return left !== undefined && right !== undefined ? [left, right].flatMap(alternatives) : [inner];
}

/** The schemas of an object's own keys; undefined when the schema is no object with keys of its own. */
export function shapeOf(schema: z.ZodType): { readonly [key: string]: z.ZodType } | undefined {
  return definition(unwrap(schema)).shape;
}

/** Whether an object schema would drop keys that it does not know, instead of keeping or refusing them. */
export function dropsUnknown(schema: z.ZodType): boolean {
  const { shape, catchall } = definition(unwrap(schema));
  return shape !== undefined && catchall === undefined;
}

/** The schemas that may apply to a key or index of a value. */
export function membersAt(schema: z.ZodType, key: PropertyKey): z.ZodType[] {
  return alternatives(schema).flatMap((each) => {
    const { shape, catchall, element, items, rest, valueType } = definition(each);
    const member =
      (shape !== undefined && Object.hasOwn(shape, key) ? shape[String(key)] : catchall) ??
      (typeof key === 'number' ? (items?.[key] ?? rest ?? element) : undefined) ??
      valueType;
    return member ? [member] : [];
  });
}

/** The schemas that may apply to a place in a value. */
export function schemasAt(schema: z.ZodType, path: Path): z.ZodType[] {
  return path.reduce<z.ZodType[]>((found, key) => found.flatMap((each) => membersAt(each, key)), [schema]);
}

/** The keys that objects at a place may have. */
export function knownKeys(schema: z.ZodType, path: Path): string[] {
  const shapes = schemasAt(schema, path).flatMap(alternatives).map(shapeOf);
  return [...new Set(shapes.flatMap((shape) => Object.keys(shape ?? {})))];
}
