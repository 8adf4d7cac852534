/** JSON for programs. */

/**
 * A value as JSON: integers of any size as text where a number would not hold them, bytes as base64, and every
 * text redacted before it is quoted.
 */
export function toJson(value: unknown, redact: (text: string) => string, indent?: number): string {
  const replace = (_key: string, part: unknown): unknown => {
    if (typeof part === 'string') return redact(part);
    if (typeof part === 'bigint') return exactInteger(part);
    return part;
  };
  return JSON.stringify(value, replace, indent);
}

function exactInteger(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
