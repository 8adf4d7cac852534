/** The error codes that packages declare. */
import type { ErrorEntry, ErrorFactory } from '@sluice/sdk';

/** The entries of all error factories that a module exports: in families, on connectors, on transforms by name. */
export function declaredErrors(module: object): ErrorEntry[] {
  const holders = Object.values(module).flatMap((value) => [value, ...membersOf(value)]);
  const families = [...holders, ...holders.map((value) => (isObject(value) ? value['errors'] : undefined))];
  const entries = families.flatMap((family) =>
    membersOf(family).flatMap((member) => (isFactory(member) ? [member.entry] : [])),
  );
  return [...new Set(entries)];
}

function isFactory(value: unknown): value is ErrorFactory {
  return typeof value === 'function' && 'entry' in value;
}

function membersOf(value: unknown): unknown[] {
  return isObject(value) ? Object.values(value) : [];
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null;
}
