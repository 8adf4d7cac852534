/**
 * `${env:NAME}`, `${env:NAME:-default}` and `${file:path}` inside the strings of a job. They are resolved after
 * parsing and only as values: what they yield can never become a key or another reference. `$${` stands for `${`.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { nearestName } from '@sluice/sdk';
import type { Problem } from './issues-text.js';
import type { Path } from './path-text.js';
import type { Redactor } from './redactor.js';

export interface Surroundings {
  readonly env: { readonly [name: string]: string | undefined };
  /** Folder that `${file:…}` paths start from. */
  readonly cwd: string;
  /** Learns everything that is resolved, except defaults, which the job itself shows. */
  readonly redactor: Redactor;
  /** Lines of .env files that were not understood, for the message about a missing variable. */
  readonly skipped?: readonly string[];
}

/** The places of a value whose text came from references. */
export class ResolvedPaths {
  private readonly keys = new Set<string>();

  add(path: Path): void {
    this.keys.add(JSON.stringify(path));
  }
  has(path: Path): boolean {
    return this.keys.has(JSON.stringify(path));
  }
}

export interface Resolution {
  readonly value: unknown;
  readonly resolved: ResolvedPaths;
  /** What could not be resolved; those strings stand as they were. */
  readonly problems: readonly Problem[];
}

export function resolveValues(value: unknown, surroundings: Surroundings): Resolution {
  const resolved = new ResolvedPaths();
  const problems: Problem[] = [];
  const walk = (part: unknown, path: Path): unknown => {
    if (typeof part === 'string') {
      if (!part.includes('${')) return part;
      try {
        const { text, references } = new Template(part, surroundings).whole();
        if (references > 0) resolved.add(path);
        return text;
      } catch (error) {
        if (!(error instanceof ReferenceProblem)) throw error;
        problems.push({ path, message: error.message });
        return part;
      }
    }
    if (Array.isArray(part)) return part.map((each, i) => walk(each, [...path, i]));
    if (!isPlainObject(part)) return part;
    return Object.fromEntries(Object.entries(part).map(([key, each]) => [key, walk(each, [...path, key])]));
  };
  return { value: walk(value, []), resolved, problems };
}

/** Objects that a job consists of; what a module passes beyond them (functions, say) is left alone. */
export function isPlainObject(value: unknown): value is { [key: string]: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

class ReferenceProblem extends Error {}

/** Reads one string from left to right. */
class Template {
  private at = 0;
  private references = 0;

  constructor(
    private readonly source: string,
    private readonly surroundings: Surroundings,
  ) {}

  whole(): { text: string; references: number } {
    const text = this.textUntil(undefined);
    return { text, references: this.references };
  }

  /** Text up to `end`, which is consumed, or up to the end of the string. */
  private textUntil(end: '}' | undefined): string {
    let text = '';
    for (; this.at < this.source.length; ) {
      const rest = this.source.slice(this.at);
      const char = rest[0]!;
      if (char === end) {
        this.at++;
        return text;
      }
      const scheme = /^\$\{([a-z][a-z0-9-]*):/.exec(rest);
      if (rest.startsWith('$${')) {
        text += '${';
        this.at += 3;
      } else if (scheme !== null) {
        this.at += scheme[0].length;
        text += this.reference(scheme[1]!);
      } else {
        text += char;
        this.at++;
      }
    }
    if (end !== undefined) throw new ReferenceProblem(`a \${…} in it is not closed`);
    return text;
  }

  private reference(scheme: string): string {
    this.references++;
    if (scheme === 'env') return this.variable();
    if (scheme === 'file') return this.file();
    const near = nearestName(scheme, ['env', 'file']);
    const hint = near === undefined ? '' : `; did you mean "${near}"?`;
    throw new ReferenceProblem(
      `there is no \${${scheme}:…}, only \${env:…} and \${file:…}${hint} ($\${ stands for a plain \${)`,
    );
  }

  private variable(): string {
    const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(this.source.slice(this.at))?.[0];
    if (name === undefined) throw new ReferenceProblem('${env:…} needs the name of a variable');
    this.at += name.length;
    const { env, redactor, skipped = [] } = this.surroundings;
    const value = env[name];
    if (this.source.startsWith(':-', this.at)) {
      this.at += 2;
      const usual = this.textUntil('}');
      if (value === undefined || value === '') return usual;
    } else if (this.source[this.at] === '}') {
      this.at++;
    } else {
      throw new ReferenceProblem(`\${env:${name} must end with "}" or go on with ":-" and a default`);
    }
    if (value === undefined) {
      const near = nearestName(name, Object.keys(env));
      const hint = near === undefined ? '' : `; did you mean ${near}?`;
      const lines = skipped.length === 0 ? '' : ` (not understood and left out: ${skipped.join(', ')})`;
      throw new ReferenceProblem(`the environment variable ${name} is not set${hint}${lines}`);
    }
    redactor.add(value);
    return value;
  }

  private file(): string {
    const end = this.source.indexOf('}', this.at);
    if (end < 0) throw new ReferenceProblem(`a \${…} in it is not closed`);
    const path = resolve(this.surroundings.cwd, this.source.slice(this.at, end));
    this.at = end + 1;
    try {
      // Editors and `echo` end a file with a line break that is no part of the secret.
      const content = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
      this.surroundings.redactor.add(content);
      return content;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new ReferenceProblem(
        `the file ${path} cannot be read (${code === 'ENOENT' ? 'it does not exist' : code})`,
      );
    }
  }
}
