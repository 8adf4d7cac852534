/** The built-in transforms, by the name that a job file uses. */
import type { Transform } from '@sluice/sdk';
import { castTransform } from './cast.js';
import { computeTransform } from './compute.js';
import { defaultTransform } from './default.js';
import { dropTransform } from './drop.js';
import { filterTransform } from './filter.js';
import { hashTransform } from './hash.js';
import { jsTransform } from './js.js';
import { maskTransform } from './mask.js';
import { metadataTransform } from './metadata.js';
import { renameTransform } from './rename.js';
import { routeTransform } from './route.js';
import { selectTransform } from './select.js';

export { expressionErrors, transformErrors } from './errors.js';
export { compileCondition, compileExpression, type Expression } from './expression/expression.js';

export const transforms: { readonly [name: string]: Transform } = {
  select: selectTransform,
  drop: dropTransform,
  rename: renameTransform,
  cast: castTransform,
  default: defaultTransform,
  filter: filterTransform,
  compute: computeTransform,
  mask: maskTransform,
  hash: hashTransform,
  metadata: metadataTransform,
  js: jsTransform,
  route: routeTransform,
};
