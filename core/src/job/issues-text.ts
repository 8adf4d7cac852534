/** What a schema found wrong with a value, in words for the person who wrote it. Values are never repeated. */
import { nearestName } from '@sluice/sdk';
import type { z } from 'zod';
import { type Path, pathText } from './path-text.js';
import { knownKeys } from './schema-walk.js';

/** One thing that is wrong, and where. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** All problems in one line: `columns.total: must be a string, is a number; …`. */
export function issuesText(error: z.ZodError, schema?: z.ZodType): string {
  return problemsOf(error, schema).map(problemText).join('; ');
}

/** One problem with its place. */
export function problemText({ path, message }: Problem): string {
  return path.length === 0 ? message : `${pathText(path)}: ${message}`;
}

/**
 * The problems behind a failed parse. With the schema, an unknown key comes with the name that was probably meant;
 * with `reportInput` at the parse, so does a wrong choice.
 */
export function problemsOf(error: z.ZodError, schema?: z.ZodType): Problem[] {
  return error.issues.flatMap((issue) => ofIssue(issue, [], schema));
}

/** The message for a key that nothing has use for. */
export function unknownKeyText(key: string, known: readonly string[]): string {
  const near = nearestName(key, known);
  if (near !== undefined) return `unknown key; did you mean "${near}"?`;
  return known.length === 0 ? 'unknown key' : `unknown key; there are ${known.join(', ')}`;
}

function ofIssue(issue: Issue, before: Path, schema: z.ZodType | undefined): Problem[] {
  const path = [...before, ...issue.path];
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = schema === undefined ? [] : knownKeys(schema, path);
      return issue.keys.map((key) => ({ path: [...path, key], message: unknownKeyText(key, known) }));
    }
    case 'invalid_union':
      return ofUnion(issue, path, schema);
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.flatMap((inner) => ofIssue(inner, path, schema));
    default:
      return [{ path, message: messageOf(issue) }];
  }
}

/**
 * Of a union the alternative counts that the value was probably meant to be: the one in which not the value as a
 * whole, but something inside it is wrong.
 */
function ofUnion(
  issue: Issue & { code: 'invalid_union' },
  path: Path,
  schema: z.ZodType | undefined,
): Problem[] {
  const inner = issue.errors.filter((issues) => issues.every((each) => !isAboutWhole(each)));
  if (inner.length === 1) return inner[0]!.flatMap((each) => ofIssue(each, path, schema));
  const about = issue.errors.flatMap((issues) => issues.filter(isAboutWhole).slice(0, 1));
  return [{ path, message: about.length === 0 ? 'is of no kind that is known here' : eitherText(about) }];
}

/** What a value that fits no alternative might have been. */
function eitherText(issues: readonly Issue[]): string {
  const wanted = issues.flatMap((issue) => {
    if (issue.code === 'invalid_value') return issue.values.map((value) => JSON.stringify(value));
    return issue.code === 'invalid_type' ? [NAMES[issue.expected] ?? issue.expected] : [];
  });
  const all = [...new Set(wanted)];
  const received = issues
    .map((issue) => RECEIVED.exec(issue.message)?.[1])
    .find((type) => type !== undefined);
  const is = received === undefined ? '' : `, is ${NAMES[received] ?? received}`;
  return `must be ${all.slice(0, -1).join(', ')}${all.length > 1 ? ' or ' : ''}${all.at(-1)}${is}`;
}

function isAboutWhole(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function messageOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeText(issue);
    case 'invalid_value':
      return valueText(issue);
    case 'too_small':
      return boundText(issue.origin, 'at least', issue.minimum, issue.inclusive);
    case 'too_big':
      return boundText(issue.origin, 'at most', issue.maximum, issue.inclusive);
    default:
      return issue.message;
  }
}

/** The type of the value, which zod tells in its message alone. */
const RECEIVED = /received (\w+)$/;

function typeText(issue: Issue & { code: 'invalid_type' }): string {
  const received = RECEIVED.exec(issue.message)?.[1];
  const wanted = NAMES[issue.expected] ?? issue.expected;
  if (received === undefined) return issue.message;
  if (received === 'undefined') return `is missing; it must be ${wanted}`;
  return `must be ${wanted}, is ${NAMES[received] ?? received}`;
}

const NAMES: { readonly [type: string]: string } = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  bigint: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  tuple: 'a list',
};

function valueText({ values, input }: Issue & { code: 'invalid_value' }): string {
  const names = values.map((value) => JSON.stringify(value)).join(', ');
  const near = typeof input === 'string' ? nearestName(input, values.map(String)) : undefined;
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  return `must be ${values.length > 1 ? 'one of ' : ''}${names}${hint}`;
}

function boundText(origin: string, relation: string, bound: number | bigint, inclusive = true): string {
  const limit = inclusive
    ? `${relation} ${bound}`
    : `${relation === 'at least' ? 'more' : 'less'} than ${bound}`;
  if (origin === 'string')
    return bound === 1 && relation === 'at least' ? 'must not be empty' : `must have ${limit} characters`;
  if (origin === 'array' || origin === 'set')
    return bound === 1 && relation === 'at least' ? 'must not be empty' : `must have ${limit} entries`;
  return `must be ${limit}`;
}
