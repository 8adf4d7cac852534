/**
 * One text for all JSON documents that mean the same: members in the order of their names and the last of those that
 * are called alike, numbers by their value with all their digits, no white space. Undefined for what is no JSON.
 */
import { decimalForm } from './decimal-form.js';

export function documentForm(text: string): string | undefined {
  const reader = new DocumentReader(text);
  try {
    return reader.whole();
  } catch (error) {
    // Documents may also be nested deeper than there is room for.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

const TOKEN =
  /[\s]*(?:([[\]{}:,])|("[^"\\]*(?:\\.[^"\\]*)*")|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null))[\s]*/suy;

type Token = { readonly kind: 'sign' | 'text' | 'number' | 'word'; readonly text: string };

class DocumentReader {
  private at = 0;

  constructor(private readonly text: string) {}

  whole(): string {
    const form = this.value(this.next());
    if (this.at < this.text.length) throw new SyntaxError('more behind the document');
    return form;
  }

  private next(): Token {
    TOKEN.lastIndex = this.at;
    const match = TOKEN.exec(this.text);
    if (match === null) throw new SyntaxError('no JSON');
    this.at = TOKEN.lastIndex;
    const [, sign, text, number, word] = match;
    if (sign !== undefined) return { kind: 'sign', text: sign };
    if (text !== undefined) return { kind: 'text', text };
    if (number !== undefined) return { kind: 'number', text: number };
    return { kind: 'word', text: word! };
  }

  private value({ kind, text }: Token): string {
    if (kind === 'text') return JSON.stringify(JSON.parse(text));
    if (kind === 'number') return decimalForm(text) ?? text;
    if (kind === 'word') return text;
    if (text === '[') return this.list();
    if (text === '{') return this.members();
    throw new SyntaxError(`${text} is out of place`);
  }

  private list(): string {
    const items: string[] = [];
    for (let token = this.next(); !(token.text === ']' && items.length === 0); ) {
      items.push(this.value(token));
      if (this.ends(']')) break;
      token = this.next();
    }
    return `[${items.join(',')}]`;
  }

  private members(): string {
    const members = new Map<string, string>();
    for (let token = this.next(); !(token.text === '}' && members.size === 0); ) {
      if (token.kind !== 'text') throw new SyntaxError('a name is missing');
      const name = this.value(token);
      if (this.next().text !== ':') throw new SyntaxError('a colon is missing');
      members.set(name, this.value(this.next()));
      if (this.ends('}')) break;
      token = this.next();
    }
    const sorted = [...members].sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
    return `{${sorted.map(([name, form]) => `${name}:${form}`).join(',')}}`;
  }

  /** Whether the list or object ends here; otherwise a comma has been passed. */
  private ends(bracket: string): boolean {
    const { kind, text } = this.next();
    if (kind === 'sign' && text === bracket) return true;
    if (kind === 'sign' && text === ',') return false;
    throw new SyntaxError('a comma is missing');
  }
}
