/** The name under which a copy's state is kept: the same for the same copy, another for any other. */
import { createHash } from 'node:crypto';
import { basename, isAbsolute, relative, resolve } from 'node:path';

/** What makes a copy what it is. How fast it goes, and which of the streams are copied this time, does not. */
export interface CopyIdentity {
  readonly from: string;
  readonly to: string;
  readonly mode: string;
  readonly write: string | undefined;
  readonly name: string | undefined;
  /** Further keys of either connection. */
  readonly settings: readonly { readonly [key: string]: string }[];
}

/** Keys whose values are no part of what is copied. */
const SECRET = /pass|pwd|secret|token|key|sig/i;

/** `copy-shop-lake-1a2b3c4d`: words for people, and a hash of everything that matters. */
export function copyName(identity: CopyIdentity, cwd: string): string {
  const from = plainLocation(identity.from, cwd);
  const to = plainLocation(identity.to, cwd);
  const settings = identity.settings.map((pairs) =>
    Object.entries(pairs)
      .filter(([key]) => !SECRET.test(key))
      .sort(),
  );
  const facts = [from, to, identity.mode, identity.write ?? '', identity.name ?? '', settings];
  const hash = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 8);
  return ['copy', locationWord(from), locationWord(to), hash].filter((part) => part !== '').join('-');
}

/** A location as it is written in one way only, and without passwords: another password is no other copy. */
export function plainLocation(location: string, cwd: string): string {
  if (location === '-') return location;
  if (!/^[a-z][a-z0-9+.-]+:/i.test(location)) {
    const path = relative(cwd, resolve(cwd, location));
    return isAbsolute(path) || path.startsWith('..') ? resolve(cwd, location) : path;
  }
  const [address = '', query] = location.split('?');
  const withoutUser = address.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1');
  const kept = (query ?? '').split('&').filter((part) => part !== '' && !SECRET.test(part));
  return kept.length === 0 ? withoutUser : `${withoutUser}?${kept.join('&')}`;
}

/** The last part of a location as a word: `lake.duckdb` → `lake`, `inbox/*.csv` → `inbox`. */
export function locationWord(location: string): string {
  const [path = ''] = location.split('?');
  const parts = path.split(/[\\/]/).filter((part) => part !== '' && !part.includes('*'));
  const stem = basename(parts.at(-1) ?? '').replace(/\.[^.]*$/, '');
  return stem
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 24);
}
