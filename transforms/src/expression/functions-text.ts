/** Functions of strings. */
import { types } from '@sluice/sdk';
import { RE2JS } from 're2js';
import type { TextTest } from '../kernels/text.js';
import { mismatch } from './coerce.js';
import { call, strictCall } from './node.js';
import { type Arguments, define, INT } from './signature.js';

function test(op: TextTest) {
  return define(`${op}(text, part)`, 2, 2, (args) =>
    strictCall(types.bool, { op }, [args.text(0), args.text(1)], args.span),
  );
}

function text(name: 'lower' | 'upper' | 'trim') {
  return define(`${name}(text)`, 1, 1, (args) =>
    strictCall(types.string, { op: name }, [args.text(0)], args.span),
  );
}

function size(args: Arguments) {
  const { type } = args.first;
  if (type.kind === 'bytes') return strictCall(INT, { op: 'byteSize' }, args.nodes, args.span);
  if (type.kind === 'list' || type.kind === 'map')
    return strictCall(INT, { op: 'listSize' }, args.nodes, args.span);
  return strictCall(INT, { op: 'textSize' }, [args.text(0)], args.span);
}

function matches(args: Arguments) {
  const pattern = args.literalText(1);
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern.value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw mismatch(
      pattern.span,
      `the pattern cannot be read: ${reason}`,
      'Patterns are RE2: no look-around and no back references.',
    );
  }
  return strictCall(types.bool, { op: 'matches', pattern: compiled }, [args.text(0)], args.span);
}

export const textFunctions = [
  define('size(text, bytes, list or map)', 1, 1, size),
  test('contains'),
  test('startsWith'),
  test('endsWith'),
  define('matches(text, pattern)', 2, 2, matches),
  text('lower'),
  text('upper'),
  text('trim'),
  define('substring(text, start[, end])', 2, 3, (args) => {
    const bounds = args.nodes.slice(1).map((_, at) => args.integer(at + 1));
    return strictCall(types.string, { op: 'substring' }, [args.text(0), ...bounds], args.span);
  }),
  define('replace(text, part, by)', 3, 3, (args) =>
    strictCall(types.string, { op: 'replace' }, [args.text(0), args.text(1), args.text(2)], args.span),
  ),
  define('split(text, separator)', 2, 2, (args) => {
    const type = types.list(types.string, false);
    const parts = [args.text(0), args.text(1)];
    return call(
      type,
      parts.some((part) => part.nullable),
      { op: 'split' },
      parts,
      args.span,
    );
  }),
];
