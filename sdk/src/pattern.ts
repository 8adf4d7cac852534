/** Name patterns: `*` matches any run of characters, everything else itself. */

const compiled = new Map<string, RegExp>();

export function matchesPattern(pattern: string, name: string): boolean {
  let expression = compiled.get(pattern);
  if (expression === undefined) {
    const escaped = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    expression = new RegExp(`^${escaped.join('.*')}$`, 's');
    compiled.set(pattern, expression);
  }
  return expression.test(name);
}

/** Whether a name matches one of the patterns. */
export function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => matchesPattern(pattern, name));
}

/** Whether a pattern is a plain name. */
export function isExact(pattern: string): boolean {
  return !pattern.includes('*');
}

/** Compares patterns from broadest to exact: by the number of characters that are not `*`, exact names last. */
export function comparePatterns(a: string, b: string): number {
  const exact = Number(isExact(a)) - Number(isExact(b));
  return exact !== 0 ? exact : a.replaceAll('*', '').length - b.replaceAll('*', '').length;
}
