/** UUIDs: 16 bytes in network order, or lower-case text with hyphens (RFC 9562). */

const HEX: string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));
const TEXT =
  /^\{?([0-9a-fA-F]{8})-?([0-9a-fA-F]{4})-?([0-9a-fA-F]{4})-?([0-9a-fA-F]{4})-?([0-9a-fA-F]{12})\}?$/;

export function formatUuid(bytes: Uint8Array, at = 0): string {
  let text = '';
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
    text += HEX[bytes[at + i]!];
  }
  return text;
}

/** Writes a UUID's 16 bytes at `at`; false when the text is none. */
export function parseUuid(text: string, into: Uint8Array, at = 0): boolean {
  const match = TEXT.exec(text);
  if (!match) return false;
  const hex = match[1]! + match[2]! + match[3]! + match[4]! + match[5]!;
  for (let i = 0; i < 16; i++) into[at + i] = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16);
  return true;
}
