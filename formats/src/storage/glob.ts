/** Path patterns: `*` and `?` within a name, `**` over folders, `[abc]`, `{a,b}`. */

const SPECIAL = /[*?[{]/;

/** Whether a path is a pattern rather than a name. */
export function isGlob(path: string): boolean {
  return SPECIAL.test(path);
}

/** The folder below which everything that matches lies; `.` when that is the root. */
export function globFolder(pattern: string): string {
  const names = pattern.split('/');
  const fixed = names.slice(
    0,
    names.findIndex((name, i) => SPECIAL.test(name) || i === names.length - 1),
  );
  return fixed.length === 0 ? '.' : fixed.join('/') || '/';
}

/**
 * A test for paths that a pattern matches. Names that begin with a dot are matched only by names that do so too, as
 * shells have it.
 */
export function globMatcher(pattern: string): (path: string) => boolean {
  const expression = new RegExp(`^${translate(pattern)}$`, 's');
  return (path) => expression.test(path);
}

function translate(pattern: string): string {
  let out = '';
  let depth = 0;
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i]!;
    const begins = i === 0 || pattern[i - 1] === '/';
    const visible = begins ? '(?!\\.)' : '';
    if (pattern.startsWith('**/', i) && begins) {
      out += '(?:(?!\\.)[^/]+/)*';
      i += 2;
    } else if (character === '*' && pattern.slice(i) === '**' && begins) {
      out += '(?:(?!\\.)[^/]+/)*(?!\\.)[^/]+';
      i += 1;
    } else if (character === '*') {
      out += `${visible}[^/]*`;
    } else if (character === '?') {
      out += `${visible}[^/]`;
    } else if (character === '[' && pattern.indexOf(']', i + 2) > 0) {
      const end = pattern.indexOf(']', i + 2);
      const set = pattern
        .slice(i + 1, end)
        .replace(/^[!^]/, '')
        .replace(/[\\\]^]/g, '\\$&');
      const isNegated = /^[!^]/.test(pattern.slice(i + 1, end));
      out += `${visible}(?!/)[${isNegated ? '^' : ''}${set}]`;
      i = end;
    } else if (character === '{' && pattern.indexOf('}', i) > 0) {
      out += '(?:';
      depth++;
    } else if (character === '}' && depth > 0) {
      out += ')';
      depth--;
    } else if (character === ',' && depth > 0) {
      out += '|';
    } else {
      out += character.replace(/[.+^$()|[\]{}\\]/g, '\\$&');
    }
  }
  return out;
}
