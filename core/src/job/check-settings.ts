/** Applies a schema (of a connector, a transform or the job itself) to what a job says, strictly. */
import { type ErrorFactory, isSecret } from '@sluice/sdk';
import type { z } from 'zod';
import { coerce } from './coerce.js';
import { type Problem, problemsOf, problemText, unknownKeyText } from './issues-text.js';
import { type Path, pathText } from './path-text.js';
import type { Redactor } from './redactor.js';
import { isPlainObject, type ResolvedPaths } from './resolve-values.js';
import { alternatives, dropsUnknown, kindOf, knownKeys, membersAt } from './schema-walk.js';

/** What is known about the values of a job. */
export interface JobValues {
  readonly resolved: ResolvedPaths;
  readonly redactor: Redactor;
  /** Where a path stands in the job file, as `shop.json:3:5`; undefined when it stands in none. */
  place(path: Path): string | undefined;
}

/** Settings as a job has them: possibly merged from several places, of which each key remembers its own. */
export interface Settings {
  readonly values: { readonly [key: string]: unknown };
  /** Where each key stands in the job. */
  readonly paths: { readonly [key: string]: Path };
  /** Where the settings as a whole stand. */
  readonly at: Path;
}

/** The settings that an object at a place of the job is, without some of its keys. */
export function settingsAt(
  at: Path,
  object: { readonly [key: string]: unknown },
  without: readonly string[] = [],
): Settings {
  const entries = Object.entries(object).filter(
    ([key, value]) => !without.includes(key) && value !== undefined,
  );
  return {
    values: Object.fromEntries(entries),
    paths: Object.fromEntries(entries.map(([key]) => [key, [...at, key]])),
    at,
  };
}

/**
 * The settings as the schema has them: texts from `${…}` as numbers or booleans where it wants these, defaults filled
 * in. Keys that the schema does not have are refused also where it would only drop them. Every field that the schema
 * calls secret, and every password in a URL, is made known to the redactor. Throws the given error, which names each
 * wrong key with its place.
 */
export function checkSettings<T>(
  schema: z.ZodType<T>,
  settings: Settings,
  job: JobValues,
  error: ErrorFactory,
): T {
  const whole = (path: Path): Path => {
    const [key, ...rest] = path;
    return key === undefined
      ? settings.at
      : [...(settings.paths[String(key)] ?? [...settings.at, key]), ...rest];
  };
  const value = coerce([schema], settings.values, [], (path) => job.resolved.has(whole(path)));
  learnSecrets([schema], value, job.redactor);
  const parsed = schema.safeParse(value, { reportInput: true });
  const problems = [
    ...unknownKeys([schema], value, []),
    ...(parsed.success ? [] : problemsOf(parsed.error, schema)),
  ];
  if (!parsed.success || problems.length > 0) {
    throw problemsError(
      error,
      problems.map(({ path, message }) => ({ path: whole(path), message })),
      job,
    );
  }
  return parsed.data;
}

/** One error for everything that is wrong, each with its key and its place in the file. */
export function problemsError(error: ErrorFactory, problems: readonly Problem[], job: JobValues): Error {
  const lines = problems.map((problem) => {
    const place = job.place(problem.path);
    return `${place === undefined ? '' : `${place}: `}${job.redactor.redact(problemText(problem))}`;
  });
  const message = lines.length === 1 ? lines[0]! : `${lines.length} problems\n  ${lines.join('\n  ')}`;
  const details = problems.map(({ path, message: text }) => {
    const place = job.place(path);
    return {
      path: pathText(path),
      message: job.redactor.redact(text),
      ...(place === undefined ? {} : { place }),
    };
  });
  return error(message, { details: { problems: details } });
}

/** Keys that the schema would silently drop. */
function unknownKeys(schemas: readonly z.ZodType[], value: unknown, path: Path): Problem[] {
  const all = schemas.flatMap(alternatives);
  const fitting = all.filter((schema) => schema.safeParse(value).success).slice(0, 1);
  const meant = fitting.length > 0 ? fitting : all;
  if (Array.isArray(value)) {
    return value.flatMap((each, i) => unknownKeys(members(meant, i), each, [...path, i]));
  }
  if (!isPlainObject(value)) return [];
  return Object.entries(value).flatMap(([key, each]) => {
    const found = members(meant, key);
    if (found.length > 0) return unknownKeys(found, each, [...path, key]);
    if (!meant.some(dropsUnknown)) return [];
    const known = meant.flatMap((schema) => knownKeys(schema, []));
    return [{ path: [...path, key], message: unknownKeyText(key, known) }];
  });
}

function members(schemas: readonly z.ZodType[], key: PropertyKey): z.ZodType[] {
  return schemas.flatMap((schema) => membersAt(schema, key)).filter((schema) => kindOf(schema) !== 'never');
}

function learnSecrets(schemas: readonly z.ZodType[], value: unknown, redactor: Redactor): void {
  if (typeof value === 'string') {
    const secret = schemas.some((schema) => isSecret(schema) || alternatives(schema).some(isSecret));
    if (secret) redactor.add(value);
    else redactor.addCredentials(value);
  } else if (Array.isArray(value)) {
    for (const [i, each] of value.entries()) learnSecrets(members(schemas, i), each, redactor);
  } else if (isPlainObject(value)) {
    for (const [key, each] of Object.entries(value)) learnSecrets(members(schemas, key), each, redactor);
  }
}
