/** From a checked expression to a function that computes it for a batch, column by column. */
import { type Column, columnOf, type LogicalType } from '@sluice/sdk';
import { arithmetic, negate } from '../kernels/arithmetic.js';
import { compare, inList, inSet } from '../kernels/compare.js';
import { vectorOf } from '../kernels/from-column.js';
import { gather } from '../kernels/gather.js';
import { jsonAs, jsonHas, jsonPath, jsonText, jsonTo } from '../kernels/json.js';
import { coalesce, conditional, isNull, isSpecial, logical, not } from '../kernels/logic.js';
import { listItem, listSize, mapValue, structMember } from '../kernels/nested.js';
import { absolute, roundDecimal, roundDouble } from '../kernels/rounding.js';
import {
  byteSize,
  changeCase,
  concat,
  matches,
  replace,
  split,
  substring,
  textSize,
  textTest,
  trim,
} from '../kernels/text.js';
import {
  dateOfTimestamp,
  instant,
  timeOfTimestamp,
  timePart,
  timestampOfDate,
  timestampOfSeconds,
  toNanos,
  toTime,
} from '../kernels/time.js';
import { toBool, toDecimal, toDouble, toInteger } from '../kernels/to-number.js';
import { toBytes, toText, toUuid } from '../kernels/to-text.js';
import type { Kernel, Vector } from '../kernels/vector.js';
import type { Call, Constant, Node } from './node.js';

/** The columns that an evaluation reads. */
export interface Inputs {
  readonly rows: number;
  column(index: number): Vector;
}

export type Evaluate = (inputs: Inputs) => Vector;

export function compile(node: Node): Evaluate {
  if (node.kind === 'column') return (inputs) => inputs.column(node.index);
  if (node.kind === 'constant') return repeated(constantVector(node));
  const kernel = kernelOf(node);
  const args = node.args.map(compile);
  return (inputs) =>
    kernel(
      args.map((arg) => arg(inputs)),
      inputs.rows,
    );
}

function constantVector({ type, value }: Constant): Vector {
  return vectorOf(type, constantColumn(type, value));
}

function constantColumn(type: LogicalType, value: Constant['value']): Column {
  return columnOf({ name: 'constant', type, nullable: true }, [value]);
}

/** The only row of a vector in as many rows as are wanted; batches mostly have the same size. */
function repeated(one: Vector): Evaluate {
  let last: Vector | undefined;
  return ({ rows }) => {
    if (last?.length !== rows) last = gather(one, new Uint32Array(rows));
    return last;
  };
}

/** Computes a constant expression once, when the job is planned. */
export function evaluateConstant(node: Node): Vector {
  const inputs: Inputs = {
    rows: 1,
    column: () => {
      throw new TypeError('a constant expression reads no column');
    },
  };
  return compile(node)(inputs);
}

function kernelOf(node: Call): Kernel {
  const { operation, type, args } = node;
  const from = args[0]!.type;
  switch (operation.op) {
    case 'and':
    case 'or':
      return logical(operation.op);
    case 'not':
      return not();
    case 'isNull':
      return isNull();
    case 'isSpecial':
      return isSpecial();
    case 'conditional':
      return conditional(type);
    case 'coalesce':
      return coalesce(type);
    case 'eq':
    case 'ne':
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
      return compare(operation.op, operation.floats);
    case 'inSet':
      return inSet(operation.members);
    case 'inList':
      return inList();
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'mod':
      return arithmetic(operation.op, type, operation.scale);
    case 'negate':
      return negate(type);
    case 'abs':
      return absolute(type);
    case 'round':
    case 'floor':
    case 'ceil':
      return type.kind === 'float' ? roundDouble(operation.op) : roundDecimal(operation.op, operation.digits);
    case 'concat':
      return concat();
    case 'lower':
    case 'upper':
      return changeCase(operation.op);
    case 'trim':
      return trim();
    case 'substring':
      return substring();
    case 'replace':
      return replace();
    case 'split':
      return split();
    case 'textSize':
      return textSize();
    case 'byteSize':
      return byteSize();
    case 'listSize':
      return listSize();
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      return textTest(operation.op);
    case 'matches':
      return matches(operation.pattern);
    case 'toText':
      return toText(from);
    case 'toBytes':
      return toBytes();
    case 'toUuid':
      return toUuid();
    case 'toInteger':
      return toInteger(from, type);
    case 'toDouble':
      return toDouble(from);
    case 'toDecimal':
      return toDecimal(from, type);
    case 'toBool':
      return toBool();
    case 'parseTime':
      return toTime(type, type.kind);
    case 'toNanos':
      return toNanos(type);
    case 'instant':
      return instant(from.kind === 'timestamp' ? from.unit : 'us');
    case 'dateOf':
      return dateOfTimestamp(from.kind === 'timestamp' ? from.unit : 'us');
    case 'timeOf':
      return timeOfTimestamp(from.kind === 'timestamp' ? from.unit : 'us');
    case 'midnight':
      return timestampOfDate({ kind: 'timestamp', unit: 'us', zone: 'utc' });
    case 'fromSeconds':
      return timestampOfSeconds();
    case 'timePart':
      return timePart(operation.part, from);
    case 'jsonPath':
      return jsonPath(operation.path);
    case 'jsonHas':
      return jsonHas(operation.path);
    case 'jsonText':
      return jsonText();
    case 'jsonTo':
      return jsonTo(type);
    case 'jsonAs':
      return jsonAs(type);
    case 'structMember':
      return structMember(operation.at, type);
    case 'listItem':
      return listItem(type);
    case 'mapValue':
      return from.kind === 'map' ? mapValue(from.key.type, type) : unexpected(node);
  }
}

function unexpected(node: Call): never {
  throw new TypeError(`no kernel for ${node.operation.op} of ${node.args[0]?.type.kind}`);
}
