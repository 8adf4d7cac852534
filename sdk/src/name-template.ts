/** Templates for names: over the parts of a stream's name, in another case, or no longer than a system takes. */
import { createHash } from 'node:crypto';
import { nearestName } from './nearest.js';

const PARTS = ['stream', 'schema', 'name'] as const;
const CASES = ['lower', 'upper'] as const;
/** A shorter one would be little more than the digest. */
const LEAST_BYTES = 16;
const DIGEST_DIGITS = 8;

const PLACE = /\{([^{}]*)\}/g;

/** What is wrong with a template; undefined when nothing is. */
export function templateProblem(template: string): string | undefined {
  for (const [all, inside] of template.matchAll(PLACE)) {
    const [part, ...how] = inside!.split(':');
    if (!isOneOf(PARTS, part!)) {
      const near = nearestName(part!, PARTS);
      const hint = near === undefined ? 'there are {stream}, {schema} and {name}' : `did you mean {${near}}?`;
      return `${all} stands for nothing; ${hint}`;
    }
    const odd = how.find((one) => !isOneOf(CASES, one) && !(/^\d+$/.test(one) && Number(one) >= LEAST_BYTES));
    if (odd === undefined) continue;
    return `${all}: "${odd}" is neither lower nor upper, nor a number of bytes, ${LEAST_BYTES} at least`;
  }
  if (/[{}]/.test(template.replace(PLACE, ''))) return 'a { or } in it has no partner';
  return undefined;
}

/**
 * Renders a name. `{stream}` is the last part of the stream's name, `{schema}` what stands before it (`public.orders`:
 * `orders` and `public`), `{name}` the whole name. `{stream:lower}` and `{stream:upper}` are in another case;
 * `{stream:40}` has 40 bytes of UTF-8 at most: a longer one is cut, and ends in an underscore and the first 8 hexadecimal
 * digits of the SHA-256 of the whole part. A part that is empty takes the dot beside it along. The template has been
 * checked.
 */
export function renderName(template: string, stream: string): string {
  const dot = stream.lastIndexOf('.');
  const parts = { name: stream, stream: stream.slice(dot + 1), schema: dot < 0 ? '' : stream.slice(0, dot) };
  return template
    .replace(PLACE, (_, inside: string) => {
      const [part, ...how] = inside.split(':');
      return how.reduce(changed, parts[part as keyof typeof parts]);
    })
    .replace(/^\.|\.$/g, '');
}

function changed(text: string, how: string): string {
  if (how === 'lower') return text.toLowerCase();
  if (how === 'upper') return text.toUpperCase();
  return shortened(text, Number(how));
}

function shortened(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const end = `_${createHash('sha256').update(text).digest('hex').slice(0, DIGEST_DIGITS)}`;
  let kept = '';
  let size = end.length;
  for (const character of text) {
    size += Buffer.byteLength(character);
    if (size > bytes) break;
    kept += character;
  }
  return kept + end;
}

function isOneOf(list: readonly string[], text: string): boolean {
  return list.includes(text);
}
