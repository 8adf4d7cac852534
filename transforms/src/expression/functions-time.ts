/** Functions of dates and times. */
import { type LogicalType, types } from '@sluice/sdk';
import { TIME_PARTS, type TimePart } from '../kernels/time.js';
import { adapt, asInstant, asString, isInt, isText } from './coerce.js';
import { type Node, type Operation, strictCall } from './node.js';
import { type Arguments, define, INT } from './signature.js';

/** A literal is read at once; other text is read row by row; JSON over its text. */
function parsed(args: Arguments, to: LogicalType): Node | undefined {
  const literal = adapt(args.first, to);
  if (literal.type.kind === to.kind) return asInstant(literal);
  const { first, span } = args;
  if (first.type.kind === 'json') {
    const text = strictCall(types.string, { op: 'jsonText' }, [first], span);
    return strictCall(to, { op: 'parseTime' }, [{ ...text, nullable: true }], span);
  }
  return isText(first.type) ? strictCall(to, { op: 'parseTime' }, [asString(first)], span) : undefined;
}

function timestamp(args: Arguments): Node {
  const { first, span } = args;
  const read = parsed(args, types.timestamp);
  if (read) return read;
  if (isInt(first.type)) return strictCall(types.timestamp, { op: 'fromSeconds' }, [first], span);
  if (first.type.kind === 'date') return strictCall(types.timestamp, { op: 'midnight' }, [first], span);
  throw args.refuse();
}

function ofTimestamp(to: LogicalType, op: Operation & { op: 'dateOf' | 'timeOf' }) {
  return (args: Arguments): Node => {
    const node = asInstant(args.first);
    if (node.type.kind !== 'timestamp') {
      const read = parsed(args, to);
      if (read) return read;
      throw args.refuse();
    }
    const type = to.kind === 'time' ? { ...to, unit: node.type.unit } : to;
    return strictCall(type, op, [node], args.span);
  };
}

function duration(args: Arguments): Node {
  const read = parsed(args, types.duration);
  if (read) return read;
  throw args.refuse();
}

const CLOCK_PARTS: readonly TimePart[] = ['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'];

function part(name: TimePart) {
  return define(`${name}(time)`, 1, 1, (args) => {
    const node = asInstant(args.first);
    const { kind } = node.type;
    const clock = CLOCK_PARTS.includes(name);
    const fits = kind === 'timestamp' || (clock ? kind === 'time' || kind === 'duration' : kind === 'date');
    if (!fits) throw args.refuse();
    return strictCall(INT, { op: 'timePart', part: name }, [node], args.span);
  });
}

export const timeFunctions = [
  define('timestamp(text, seconds or date)', 1, 1, timestamp),
  define('date(text or timestamp)', 1, 1, ofTimestamp(types.date, { op: 'dateOf' })),
  define('time(text or timestamp)', 1, 1, ofTimestamp(types.time, { op: 'timeOf' })),
  define('duration(text)', 1, 1, duration),
  ...TIME_PARTS.map(part),
];
