/** The checked form of an expression: a tree whose parts have types, ready to be compiled. */
import type { LogicalType, Value } from '@sluice/sdk';
import type { RE2JS } from 're2js';
import type { Arithmetic } from '../kernels/arithmetic.js';
import type { Comparison } from '../kernels/compare.js';
import type { JsonStep } from '../kernels/json-seek.js';
import type { Rounding } from '../kernels/rounding.js';
import type { TextTest } from '../kernels/text.js';
import type { TimePart } from '../kernels/time.js';

/** A part of the expression's text, for messages. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

interface Typed {
  readonly type: LogicalType;
  readonly nullable: boolean;
  readonly span: Span;
}

export interface Constant extends Typed {
  readonly kind: 'constant';
  readonly value: Value;
  /** As it was written: such a constant takes the type of what it stands beside. */
  readonly literal?: string;
}

export interface ColumnNode extends Typed {
  readonly kind: 'column';
  readonly index: number;
}

export interface Call extends Typed {
  readonly kind: 'call';
  readonly operation: Operation;
  readonly args: readonly Node[];
}

export type Node = Constant | ColumnNode | Call;

/** What a call does; together with its type and those of its arguments it decides the kernel. */
export type Operation =
  | { readonly op: 'and' | 'or' | 'not' | 'isNull' | 'isSpecial' | 'conditional' | 'coalesce' }
  | { readonly op: Comparison; readonly floats: boolean }
  | { readonly op: 'inSet'; readonly members: ReadonlySet<string> }
  | { readonly op: 'inList' }
  /** `scale`: digits behind the point of a decimal quotient. */
  | { readonly op: Arithmetic; readonly scale: number }
  | { readonly op: 'negate' | 'abs' }
  | { readonly op: Rounding; readonly digits: number }
  | { readonly op: 'concat' | 'lower' | 'upper' | 'trim' | 'substring' | 'replace' | 'split' }
  | { readonly op: 'textSize' | 'byteSize' | 'listSize' }
  | { readonly op: TextTest }
  | { readonly op: 'matches'; readonly pattern: RE2JS }
  | { readonly op: 'toText' | 'toBytes' | 'toUuid' | 'toInteger' | 'toDouble' | 'toDecimal' | 'toBool' }
  /** Text to a date, time, timestamp or duration. */
  | { readonly op: 'parseTime' }
  | { readonly op: 'toNanos' | 'instant' | 'dateOf' | 'timeOf' | 'midnight' | 'fromSeconds' }
  | { readonly op: 'timePart'; readonly part: TimePart }
  | { readonly op: 'jsonPath' | 'jsonHas'; readonly path: readonly JsonStep[] }
  /** `jsonTo` converts or fails; `jsonAs` gives null for a value of another JSON type. */
  | { readonly op: 'jsonText' | 'jsonTo' | 'jsonAs' }
  | { readonly op: 'structMember'; readonly at: number }
  | { readonly op: 'listItem' | 'mapValue' };

/** A call whose result is null where an argument is. */
export function strictCall(type: LogicalType, operation: Operation, args: readonly Node[], span: Span): Call {
  return {
    kind: 'call',
    type,
    operation,
    args,
    span,
    nullable: args.some((arg) => arg.nullable || mayBeSpecial(arg.type)),
  };
}

/** A call that is null in more rows than its arguments, or in fewer. */
export function call(
  type: LogicalType,
  nullable: boolean,
  operation: Operation,
  args: readonly Node[],
  span: Span,
): Call {
  return { kind: 'call', type, nullable, operation, args, span };
}

/** Whether columns of a type may hold special values, which have no result when compared. */
function mayBeSpecial(type: LogicalType): boolean {
  return ['decimal', 'date', 'time', 'timestamp', 'interval', 'list'].includes(type.kind);
}

/** The indices of the columns that an expression reads. */
export function columnsRead(node: Node, into = new Set<number>()): Set<number> {
  if (node.kind === 'column') into.add(node.index);
  if (node.kind === 'call') for (const arg of node.args) columnsRead(arg, into);
  return into;
}
