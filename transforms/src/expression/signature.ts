/** How functions check their arguments. */
import { formatType, type LogicalType, types } from '@sluice/sdk';
import { adapt, asString, isInt, isText, mismatch } from './coerce.js';
import type { Constant, Node, Span } from './node.js';

export interface FunctionDefinition {
  /** As it is written: `substring(text, start[, end])`. */
  readonly usage: string;
  readonly least: number;
  readonly most: number;
  /** The checked call; throws a problem when the arguments do not fit. */
  resolve(args: Arguments): Node;
}

export type FunctionTable = ReadonlyMap<string, FunctionDefinition>;

/** The arguments of one call. */
export class Arguments {
  constructor(
    readonly usage: string,
    readonly nodes: readonly Node[],
    readonly span: Span,
  ) {}

  get first(): Node {
    return this.nodes[0]!;
  }

  /** The type of the first argument is not one that the function takes. */
  refuse(node: Node = this.first, help?: string) {
    const found = node.type.kind === 'null' ? 'null' : formatType(node.type);
    const hint =
      node.type.kind === 'json'
        ? 'Convert the JSON value: string(), int(), decimal(), double(), bool().'
        : help;
    return mismatch(node.span, `${this.usage} does not take ${found}`, hint);
  }

  text(at: number): Node {
    const node = this.nodes[at]!;
    if (!isText(node.type)) throw this.refuse(node, 'Convert it with string().');
    return asString(node);
  }

  integer(at: number): Node {
    const node = this.nodes[at]!;
    if (!isInt(node.type)) throw this.refuse(node);
    return node;
  }

  /** A number that is written in the expression. */
  literalInteger(at: number, low: number, high: number): number {
    const node = this.nodes[at]!;
    const value = node.kind === 'constant' && typeof node.value === 'bigint' ? Number(node.value) : undefined;
    if (value === undefined || value < low || value > high) {
      throw mismatch(
        node.span,
        `${this.usage} takes a whole number from ${low} to ${high} here, written out`,
      );
    }
    return value;
  }

  /** A string that is written in the expression. */
  literalText(at: number): Constant & { value: string } {
    const node = this.nodes[at]!;
    if (node.kind !== 'constant' || typeof node.value !== 'string' || node.type.kind !== 'string') {
      throw mismatch(node.span, `${this.usage} takes a string here, written out`);
    }
    return node as Constant & { value: string };
  }

  /** The only argument, read as a type when it is a literal. */
  adapted(to: LogicalType): Node {
    return adapt(this.first, to);
  }
}

export function define(
  usage: string,
  least: number,
  most: number,
  resolve: (args: Arguments) => Node,
): [string, FunctionDefinition] {
  return [usage.slice(0, usage.indexOf('(')), { usage, least, most, resolve }];
}

export const INT = types.int64;
