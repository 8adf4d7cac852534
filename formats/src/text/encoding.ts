/**
 * Texts of other encodings as UTF-8, piece by piece. Encodings are those of the WHATWG (https://encoding.spec.whatwg.org)
 * under all their names, as Node.js has them: `latin1` means windows-1252, as everywhere on the web.
 */
import { TextDecoder } from 'node:util';
import { textErrors } from './errors.js';

/** Bytes before a damaged piece that are looked at too: no character, with what switches to its set, is longer. */
const BEFORE = 64;

/** The encoding that a name means, as its own name in lower case; undefined where there is none of that name. */
export function encodingOfName(name: string): string | undefined {
  try {
    return new TextDecoder(name, { fatal: true }).encoding;
  } catch {
    return undefined;
  }
}

/** The encoding that a text's first bytes say by a byte order mark; UTF-8 where there is none. */
export function encodingOfBytes([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
}

/**
 * A text's bytes in UTF-8; a byte order mark stays one. UTF-8 itself passes as it is, unchecked. `open` begins the text
 * anew: it is called once, and again to find the place of a damage. `file` names it in errors. Throws
 * `SLUICE-TEXT-0001`.
 */
export async function* utf8Bytes(
  open: () => Promise<AsyncIterable<Uint8Array>>,
  encoding: string,
  file: string,
): AsyncGenerator<Uint8Array> {
  if (encoding === 'utf-8') {
    yield* await open();
    return;
  }
  const decoder = decoderOf(encoding);
  let offset = 0;
  for await (const chunk of await open()) {
    const text = decoded(decoder, chunk);
    if (text === undefined) throw await undecodable(open, encoding, file, offset);
    offset += chunk.byteLength;
    if (text !== '') yield Buffer.from(text);
  }
  if (decoded(decoder) === undefined) throw await undecodable(open, encoding, file, offset);
}

function decoderOf(encoding: string): TextDecoder {
  return new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
}

/** What there is to decode so far, or, without bytes, at the end; undefined where that is no text. */
function decoded(decoder: TextDecoder, bytes?: Uint8Array): string | undefined {
  try {
    return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}

/** The error for a text that is damaged behind some offset, with the place where its first wrong character begins. */
async function undecodable(
  open: () => Promise<AsyncIterable<Uint8Array>>,
  encoding: string,
  file: string,
  behind: number,
): Promise<Error> {
  const decoder = decoderOf(encoding);
  const near = Math.max(0, behind - BEFORE);
  let begin = near;
  let at = 0;
  search: for await (const chunk of await open()) {
    const known = Math.min(chunk.byteLength, Math.max(0, near - at));
    decoded(decoder, chunk.subarray(0, known));
    at += known;
    for (const byte of chunk.subarray(known)) {
      const text = decoded(decoder, Uint8Array.of(byte));
      if (text === undefined) break search;
      at++;
      if (text !== '') begin = at;
    }
  }
  return textErrors.undecodable(`${file}: what begins at byte ${begin} is not ${encoding}`, {
    details: { file, encoding, offset: begin },
  });
}
