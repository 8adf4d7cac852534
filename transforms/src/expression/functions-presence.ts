/** Functions about whether there is a value. */
import { types } from '@sluice/sdk';
import { unify } from './coerce.js';
import { call } from './node.js';
import { define } from './signature.js';

const MOST_CHOICES = 255;

export const presenceFunctions = [
  define('coalesce(value, …)', 1, MOST_CHOICES, (args) => {
    const { type, nodes } = unify(args.nodes);
    return call(
      type,
      nodes.every((node) => node.nullable),
      { op: 'coalesce' },
      nodes,
      args.span,
    );
  }),
  define('isSpecial(value)', 1, 1, (args) =>
    call(types.bool, args.first.nullable, { op: 'isSpecial' }, args.nodes, args.span),
  ),
];
