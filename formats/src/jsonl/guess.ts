/** Guesses types of JSON values: scalars, lists of them, structs of members. */
import { type Field, formatType, type LogicalType, types } from '@sluice/sdk';
import { Guess, type Look, lookOf } from '../text/guess.js';
import { JsonNumber, type JsonTree, treeText } from './tree.js';

/** An object with more different members than this is a dictionary rather than a struct: it stays a document. */
const MOST_MEMBERS = 256;
const DEEPEST = 16;

/** Looks that a JSON string may have beside text: a number or a boolean in quotes was meant as text. */
const STRING_LOOKS: ReadonlySet<Look> = new Set([
  'date',
  'time',
  'timestamp',
  'timestamp without zone',
  'uuid',
]);

export class JsonGuess {
  readonly scalars = new Guess();
  private lists = 0;
  private structs = 0;
  private item: JsonGuess | undefined;
  private readonly members = new Map<string, JsonGuess>();

  constructor(private readonly depth = 0) {}

  add(tree: JsonTree, where: () => string): void {
    if (tree === null) this.scalars.addNull();
    else if (Array.isArray(tree)) {
      this.lists++;
      this.item ??= new JsonGuess(this.depth + 1);
      if (this.depth < DEEPEST) for (const item of tree as readonly JsonTree[]) this.item.add(item, where);
    } else if (tree instanceof Map) {
      this.structs++;
      this.addMembers(tree as ReadonlyMap<string, JsonTree>, where);
    } else {
      this.scalars.addLook(scalarLook(tree), typeof tree === 'string' ? tree : treeText(tree), where);
    }
  }

  merge(other: JsonGuess): void {
    this.scalars.merge(other.scalars);
    this.lists += other.lists;
    this.structs += other.structs;
    if (other.item !== undefined) {
      this.item ??= new JsonGuess(this.depth + 1);
      this.item.merge(other.item);
    }
    for (const [name, guess] of other.members) this.member(name)?.merge(guess);
  }

  /** The type. Values of different kinds, dictionaries, and what was never seen are json. */
  type(whole: boolean): LogicalType {
    const kinds = Number(this.scalars.values > 0) + Number(this.lists > 0) + Number(this.structs > 0);
    if (kinds !== 1 || this.depth >= DEEPEST) return types.json;
    if (this.scalars.values > 0) return this.scalars.type(whole);
    if (this.lists > 0) {
      const item = this.item!.type(whole);
      return this.item!.isUnseen ? types.json : types.list(item);
    }
    if (this.members.size === 0 || this.members.size > MOST_MEMBERS) return types.json;
    return types.struct(this.fields(whole));
  }

  /** The members of the objects, in the order in which they were met. */
  fields(whole: boolean): Field[] {
    return [...this.members].map(([name, guess]) => ({ name, type: guess.type(whole), nullable: true }));
  }

  /** The guesses of the objects' members. */
  columns(): ReadonlyMap<string, JsonGuess> {
    return this.members;
  }

  /** One line for a report, where values disagree; undefined where they do not. */
  conflict(whole: boolean): string | undefined {
    const { values } = this.scalars;
    const kinds = [
      values > 0 ? `${values} plain values` : '',
      this.lists > 0 ? `${this.lists} lists` : '',
      this.structs > 0 ? `${this.structs} objects` : '',
    ].filter((text) => text !== '');
    if (kinds.length > 1) return `${formatType(this.type(whole))}: ${kinds.join(', ')}`;
    return this.scalars.isConflict ? `string: ${this.scalars.explain()}` : undefined;
  }

  private get isUnseen(): boolean {
    return this.scalars.values === 0 && this.lists === 0 && this.structs === 0;
  }

  private addMembers(tree: ReadonlyMap<string, JsonTree>, where: () => string): void {
    for (const [name, value] of tree) this.member(name)?.add(value, where);
  }

  /** Not more members are kept than tell a dictionary from a struct; records, at the top, may have any number. */
  private member(name: string): JsonGuess | undefined {
    let guess = this.members.get(name);
    if (guess !== undefined || this.depth >= DEEPEST) return guess;
    if (this.depth > 0 && this.members.size > MOST_MEMBERS) return undefined;
    guess = new JsonGuess(this.depth + 1);
    this.members.set(name, guess);
    return guess;
  }
}

function scalarLook(tree: JsonTree): Look {
  if (typeof tree === 'boolean') return 'bool';
  if (tree instanceof JsonNumber) {
    const look = lookOf(tree.text);
    return look === 'string' ? 'float64' : look;
  }
  const look = lookOf(tree as string);
  return STRING_LOOKS.has(look) ? look : 'string';
}
