/**
 * Takes secrets out of everything that is printed. It knows every value that the job took from its surroundings
 * (`${env:…}`, `${file:…}`), every field that a connector calls secret, and the passwords inside URLs.
 */
import { type Json, SluiceError, toSluiceError } from '@sluice/sdk';

const MASK = '***';
/** Shorter values appear by chance; they are taken out only where quotes or the syntax of URLs and settings set them off. */
const SHORT = 4;
/** Lines of a longer secret (a key file) that may be printed alone. */
const LINE = 16;

export class Redactor {
  private readonly secrets = new Set<string>();
  private pattern: RegExp | undefined;

  /** Remembers a secret, in every form in which it is likely to be printed. */
  add(secret: string): void {
    const before = this.secrets.size;
    const lines = secret.includes('\n')
      ? secret.split('\n').filter((line) => line.trim().length >= LINE)
      : [];
    for (const text of [secret, ...lines.map((line) => line.trim()), ...credentials(secret)]) {
      for (const form of forms(text)) if (isWorthHiding(form)) this.secrets.add(form);
    }
    if (this.secrets.size > before) this.pattern = undefined;
  }

  /** Remembers what is secret inside a text that is not secret as a whole: the password of a URL. */
  addCredentials(text: string): void {
    for (const secret of credentials(text)) this.add(secret);
  }

  /** The text with every known secret replaced by `***`. */
  redact(text: string): string {
    if (this.secrets.size === 0) return text;
    this.pattern ??= patternOf(this.secrets);
    return text.replace(this.pattern, MASK);
  }

  /** A value as JSON would have it, with the secrets in its strings and keys replaced. */
  redactJson<T extends Json>(value: T): T {
    return this.redactAny(value) as T;
  }

  /** The error itself when it says nothing secret, else one with the same code that does not either. */
  redactError(error: unknown): SluiceError {
    const coded = toSluiceError(error);
    if (!this.tells(coded)) return coded;
    const { code, class: errorClass, help, details, retryAfterMs, message, cause, stack } = coded;
    const entry = {
      code,
      name: code,
      class: errorClass,
      title: this.redact(message),
      help: this.redact(help),
    };
    const clean = new SluiceError(entry, this.redact(message), {
      cause: cause === undefined ? undefined : this.redactCause(cause, 0),
      details: this.redactJson(details as { [name: string]: Json }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
    if (stack !== undefined) clean.stack = this.redact(stack);
    return clean;
  }

  private tells({ message, help, details, stack, cause }: SluiceError): boolean {
    const text = [message, help, JSON.stringify(details), stack, everythingOf(cause)].join('\n');
    return this.redact(text) !== text;
  }

  private redactCause(cause: unknown, depth: number): unknown {
    if (!(cause instanceof Error)) return typeof cause === 'string' ? this.redact(cause) : undefined;
    const inner =
      cause.cause === undefined || depth > 8 ? undefined : this.redactCause(cause.cause, depth + 1);
    const clean = new Error(this.redact(cause.message), inner === undefined ? undefined : { cause: inner });
    clean.name = cause.name;
    if (cause.stack !== undefined) clean.stack = this.redact(cause.stack);
    return clean;
  }

  private redactAny(value: unknown): unknown {
    if (typeof value === 'string') return this.redact(value);
    if (Array.isArray(value)) return value.map((each) => this.redactAny(each));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [this.redact(key), this.redactAny(each)]),
    );
  }
}

/** Everything that printing a cause would print. */
function everythingOf(cause: unknown, depth = 0): string {
  if (typeof cause !== 'object' || cause === null) return String(cause);
  const own = Object.values(cause).filter((value) => typeof value === 'string');
  if (!(cause instanceof Error)) return own.join('\n');
  return [cause.message, cause.stack, ...own, depth > 8 ? '' : everythingOf(cause.cause, depth + 1)].join(
    '\n',
  );
}

/** Passwords and tokens inside a URL, as written and decoded. */
function credentials(text: string): string[] {
  const found: string[] = [];
  const [, user] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#\s]*)@/i.exec(text) ?? [];
  const colon = user?.indexOf(':') ?? -1;
  if (user !== undefined && colon >= 0) found.push(user.slice(colon + 1));
  for (const [, value] of text.matchAll(
    /[?&;][^=&;\s]*(?:pass|pwd|secret|token|key|sig)[^=&;\s]*=([^&;#\s]+)/gi,
  )) {
    found.push(value!);
  }
  return found.flatMap((secret) => [secret, decoded(secret)]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A secret as it is, as URLs have it and as JSON has it. */
function forms(secret: string): string[] {
  const trimmed = secret.trim();
  if (/\p{Surrogate}/u.test(trimmed)) return [trimmed];
  const all = [
    secret,
    trimmed,
    encodeURIComponent(trimmed),
    encodeURI(trimmed),
    JSON.stringify(trimmed).slice(1, -1),
  ];
  return all.filter((form) => form !== '');
}

/** Words that settings consist of and that tell nothing. */
function isWorthHiding(text: string): boolean {
  return !['true', 'false', 'null'].includes(text) && text.trim() !== '';
}

function patternOf(secrets: ReadonlySet<string>): RegExp {
  const sorted = [...secrets].sort((a, b) => b.length - a.length);
  const parts = sorted.map((secret) => {
    const escaped = secret.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
    if (secret.length >= SHORT) return escaped;
    return [
      `(?<=["'\`])${escaped}(?=["'\`])`,
      `(?<==)${escaped}(?=[&;,\\s]|$)`,
      `(?<=:)${escaped}(?=@)`,
    ].join('|');
  });
  return new RegExp(parts.join('|'), 'gu');
}
