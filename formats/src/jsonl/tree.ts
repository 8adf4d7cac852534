/** JSON documents as trees whose numbers are still text. For nested values and for guessing; records go through `scan.ts`. */

/** A number as it is written. */
export class JsonNumber {
  constructor(readonly text: string) {}
}

export type JsonTree =
  | null
  | boolean
  | string
  | JsonNumber
  | readonly JsonTree[]
  | ReadonlyMap<string, JsonTree>;

const MAX_DEPTH = 200;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORDS: readonly (readonly [string, null | boolean])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
];

/** Parses a document; undefined when it is none, or nested more than 200 deep. Of members of one name the last counts. */
export function parseJson(text: string): JsonTree | undefined {
  const reader = new TreeReader(text);
  try {
    const tree = reader.value(0);
    reader.end();
    return tree;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

class TreeReader {
  private at = 0;
  constructor(private readonly text: string) {}

  value(depth: number): JsonTree {
    if (depth > MAX_DEPTH) throw new SyntaxError('too deep');
    this.space();
    switch (this.text[this.at]) {
      case '"':
        return this.string();
      case '[':
        return this.array(depth);
      case '{':
        return this.object(depth);
    }
    for (const [word, value] of WORDS) {
      if (!this.text.startsWith(word, this.at)) continue;
      this.at += word.length;
      return value;
    }
    return new JsonNumber(this.match(NUMBER));
  }

  end(): void {
    this.space();
    if (this.at < this.text.length) throw new SyntaxError('something is left over');
  }

  private array(depth: number): JsonTree[] {
    const items: JsonTree[] = [];
    this.at++;
    if (this.takes(']')) return items;
    for (;;) {
      items.push(this.value(depth + 1));
      if (this.takes(']')) return items;
      this.expect(',');
    }
  }

  private object(depth: number): Map<string, JsonTree> {
    const members = new Map<string, JsonTree>();
    this.at++;
    if (this.takes('}')) return members;
    for (;;) {
      this.space();
      const name = this.string();
      this.expect(':');
      members.set(name, this.value(depth + 1));
      if (this.takes('}')) return members;
      this.expect(',');
    }
  }

  private string(): string {
    const from = this.at;
    if (this.text[from] !== '"') throw new SyntaxError('a string is missing');
    let to = from + 1;
    while (to < this.text.length && this.text[to] !== '"') to += this.text[to] === '\\' ? 2 : 1;
    this.at = to + 1;
    const string = JSON.parse(this.text.slice(from, to + 1)) as string;
    if (/\p{Surrogate}/u.test(string)) throw new SyntaxError('half of a surrogate pair');
    return string;
  }

  private match(expression: RegExp): string {
    expression.lastIndex = this.at;
    const found = expression.exec(this.text)?.[0];
    if (found === undefined) throw new SyntaxError('a value is missing');
    this.at += found.length;
    return found;
  }

  private takes(character: string): boolean {
    this.space();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private expect(character: string): void {
    if (!this.takes(character)) throw new SyntaxError(`${character} is missing`);
  }

  private space(): void {
    while (' \t\n\r'.includes(this.text[this.at] ?? 'x')) this.at++;
  }
}

/** The text of a tree, its numbers as they were written. */
export function treeText(tree: JsonTree): string {
  if (tree instanceof JsonNumber) return tree.text;
  if (Array.isArray(tree)) return `[${tree.map(treeText).join(',')}]`;
  if (tree instanceof Map) {
    return `{${[...tree].map(([name, value]) => `${JSON.stringify(name)}:${treeText(value)}`).join(',')}}`;
  }
  return JSON.stringify(tree);
}
