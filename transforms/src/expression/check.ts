/**
 * From a syntax tree to a typed one: names are looked up in the stream's schema, every part gets a type, and what
 * does not fit is an error that marks its place.
 */
import { UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { fieldIndex, formatType, type LogicalType, nearestName, type StreamSchema, types } from '@sluice/sdk';
import { expressionErrors } from '../errors.js';
import type { Arithmetic } from '../kernels/arithmetic.js';
import type { Comparison } from '../kernels/compare.js';
import type { JsonStep } from '../kernels/json-seek.js';
import { isInt, mismatch } from './coerce.js';
import { functions } from './functions.js';
import { type Constant, call, type Node, type Span, strictCall } from './node.js';
import { arithmetic, comparison, conditional, logic, membership, negation, not } from './operators.js';
import type { Syntax } from './parse.js';
import { Problem } from './problem.js';
import { Arguments } from './signature.js';

const COMPARISONS: { readonly [op: string]: Comparison } = {
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
};
const ARITHMETIC: { readonly [op: string]: Arithmetic } = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'mod',
};
const MACROS = ['all', 'exists', 'exists_one', 'map', 'filter', 'cel.bind'];

export function checkExpression(syntax: Syntax, schema: StreamSchema): Node {
  return new Checker(schema).check(syntax);
}

/** How deep an expression may be; a chain of so many operators counts, as each stands in the next. */
const MAX_DEPTH = 1000;

class Checker {
  private depth = 0;

  constructor(private readonly schema: StreamSchema) {}

  check(syntax: Syntax): Node {
    const span = { start: syntax.start, end: syntax.end };
    if (++this.depth > MAX_DEPTH) {
      const help = 'Write many comparisons with one value as x in [a, b, …].';
      throw new Problem(
        expressionErrors.syntax,
        span,
        `more than ${MAX_DEPTH} operators stand in each other`,
        help,
      );
    }
    const node = this.checkPart(syntax, span);
    this.depth--;
    return node;
  }

  private checkPart(syntax: Syntax, span: Span): Node {
    switch (syntax.op) {
      case 'value':
        return literal(syntax.args, syntax.input.slice(span.start, span.end), span);
      case 'id':
        return this.column(syntax.args, span);
      case '.':
        return this.member(this.check(syntax.args[0]), syntax.args[1], span);
      case '[]':
        return this.item(this.check(syntax.args[0]), this.check(syntax.args[1]), span);
      case 'call':
        return this.call(syntax.args[0], syntax.args[1], span);
      case 'rcall':
        return this.call(syntax.args[0], [syntax.args[1], ...syntax.args[2]], span);
      case '?:': {
        const [test, yes, no] = syntax.args.map((arg) => this.check(arg)) as [Node, Node, Node];
        return conditional(test, yes, no, span);
      }
      case '!_':
        return not(this.check(syntax.args), span);
      case '-_':
        return negation(this.check(syntax.args), span);
      case 'list':
      case 'map':
        throw mismatch(span, `a ${syntax.op} can only stand behind "in"`);
      case '.?':
      case '[?]':
        throw mismatch(span, 'optional access is not needed: a missing field is null');
      default:
        return this.binary(syntax.op, syntax.args[0], syntax.args[1], span);
    }
  }

  private binary(op: string, left: Syntax, right: Syntax, span: Span): Node {
    const a = this.check(left);
    if (op === 'in') {
      if (right.op !== 'list') return membership(a, this.check(right), span);
      return membership(
        a,
        right.args.map((item) => this.check(item)),
        span,
      );
    }
    const b = this.check(right);
    if (op === '&&' || op === '||') return logic(op === '&&' ? 'and' : 'or', a, b, span);
    const compared = COMPARISONS[op];
    if (compared) return comparison(compared, a, b, span);
    const computed = ARITHMETIC[op];
    if (computed) return arithmetic(computed, a, b, span);
    throw mismatch(span, `the operator ${op} is not known`);
  }

  private column(name: string, span: Span): Node {
    const index = fieldIndex(this.schema, name);
    if (index < 0) throw this.unknownColumn(name, span);
    const { type, nullable } = this.schema.fields[index]!;
    return { kind: 'column', index, type, nullable, span };
  }

  private unknownColumn(name: string, span: Span): Problem {
    const names = this.schema.fields.map((f) => f.name);
    const meant = nearestName(name, names);
    const hint = meant === undefined ? '' : `, did you mean "${meant}"?`;
    const message = `the stream ${this.schema.stream} has no column "${name}"${hint}`;
    return new Problem(expressionErrors.unknownName, span, message);
  }

  private call(name: string, args: readonly Syntax[], span: Span): Node {
    if (name === 'col') return this.namedColumn(args, span);
    if (name === 'has') return this.has(args, span);
    const definition = functions.get(name);
    if (definition === undefined) throw unknownFunction(name, span);
    const { usage, least, most } = definition;
    if (args.length < least || args.length > most) {
      throw mismatch(span, `${usage} does not take ${args.length} argument${args.length === 1 ? '' : 's'}`);
    }
    const nodes = args.map((arg) => this.check(arg));
    return definition.resolve(new Arguments(usage, nodes, span));
  }

  /** `col("the name")`, for names that CEL cannot write. */
  private namedColumn(args: readonly Syntax[], span: Span): Node {
    const [name] = args;
    if (args.length !== 1 || name?.op !== 'value' || typeof name.args !== 'string') {
      throw mismatch(span, 'col(name) takes a string, written out');
    }
    return this.column(name.args, span);
  }

  /** `has(doc.field)`: whether there is such a member; it may be null. */
  private has(args: readonly Syntax[], span: Span): Node {
    const [path] = args;
    if (args.length !== 1 || (path?.op !== '.' && path?.op !== '[]')) {
      throw mismatch(
        span,
        'has() takes a field of something, such as has(doc.field)',
        'For a column write: x != null.',
      );
    }
    const node = this.check(path);
    if (node.kind === 'call' && node.operation.op === 'jsonPath') {
      const { path: steps } = node.operation;
      return strictCall(types.bool, { op: 'jsonHas', path: steps }, node.args, span);
    }
    const missing = call(types.bool, false, { op: 'isNull' }, [node], span);
    return call(types.bool, false, { op: 'not' }, [missing], span);
  }

  private member(node: Node, name: string, span: Span): Node {
    const { type } = node;
    if (type.kind === 'json') return jsonStep(node, name, span);
    if (type.kind === 'struct') return structMember(node, type.fields, name, span);
    if (type.kind === 'map') return this.item(node, literal(name, name, span), span);
    throw mismatch(span, `${formatType(type)} has no fields`);
  }

  private item(node: Node, key: Node, span: Span): Node {
    const { type } = node;
    if (type.kind === 'json') return jsonStep(node, jsonKey(key), span);
    if (type.kind === 'list') {
      if (!isInt(key.type)) throw mismatch(key.span, 'the index of a list is a whole number');
      return call(type.item.type, true, { op: 'listItem' }, [node, key], span);
    }
    if (type.kind === 'map' && type.key.type.kind === 'string') {
      if (key.type.kind !== 'string') throw mismatch(key.span, 'the keys of the map are strings');
      return call(type.value.type, true, { op: 'mapValue' }, [node, key], span);
    }
    throw mismatch(span, `${formatType(type)} has no items that could be looked up`);
  }
}

function literal(value: unknown, written: string, span: Span): Constant {
  const constant = { kind: 'constant', nullable: false, span } as const;
  if (value === null) return { ...constant, type: types.nullType, nullable: true, value: null };
  if (typeof value === 'boolean') return { ...constant, type: types.bool, value };
  if (typeof value === 'bigint') return { ...constant, type: types.int64, value, literal: value.toString() };
  if (typeof value === 'number') return { ...constant, type: types.float64, value, literal: written };
  if (typeof value === 'string') return { ...constant, type: types.string, value, literal: value };
  if (value instanceof Uint8Array) return { ...constant, type: types.bytes, value };
  if (value instanceof UnsignedInt) return { ...constant, type: types.uint64, value: value.value };
  throw mismatch(span, 'this literal is not known');
}

function jsonKey(key: Node): JsonStep {
  if (key.kind === 'constant' && typeof key.value === 'string') return key.value;
  if (key.kind === 'constant' && typeof key.value === 'bigint' && key.value >= 0n) return Number(key.value);
  throw mismatch(key.span, 'a part of a JSON document is named by a string or an index, written out');
}

function jsonStep(node: Node, step: JsonStep, span: Span): Node {
  const deeper = node.kind === 'call' && node.operation.op === 'jsonPath';
  const path = deeper && node.operation.op === 'jsonPath' ? [...node.operation.path, step] : [step];
  return call(types.json, true, { op: 'jsonPath', path }, deeper ? node.args : [node], span);
}

function structMember(
  node: Node,
  fields: readonly { name: string; type: LogicalType; nullable: boolean }[],
  name: string,
  span: Span,
): Node {
  const at = fields.findIndex((f) => f.name === name);
  if (at < 0) {
    const meant = nearestName(
      name,
      fields.map((f) => f.name),
    );
    const hint = meant === undefined ? '' : `, did you mean "${meant}"?`;
    throw new Problem(expressionErrors.unknownName, span, `there is no field "${name}"${hint}`);
  }
  const member = fields[at]!;
  return call(member.type, node.nullable || member.nullable, { op: 'structMember', at }, [node], span);
}

function unknownFunction(name: string, span: Span): Problem {
  if (MACROS.includes(name)) {
    return mismatch(
      span,
      `${name}() is not supported`,
      'Look for a value with "in", take an item by its index, or use a js transform.',
    );
  }
  const meant = nearestName(name, functions.keys());
  const hint = meant === undefined ? '' : `, did you mean ${functions.get(meant)!.usage}?`;
  return new Problem(expressionErrors.unknownName, span, `there is no function ${name}()${hint}`);
}
