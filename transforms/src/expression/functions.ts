/**
 * The functions of expressions. Each may be written before its arguments or behind the first: `lower(name)`,
 * `name.lower()`.
 */

import { conversionFunctions } from './functions-conversions.js';
import { numberFunctions } from './functions-numbers.js';
import { presenceFunctions } from './functions-presence.js';
import { textFunctions } from './functions-text.js';
import { timeFunctions } from './functions-time.js';
import type { FunctionTable } from './signature.js';

export const functions: FunctionTable = new Map([
  ...presenceFunctions,
  ...conversionFunctions,
  ...numberFunctions,
  ...textFunctions,
  ...timeFunctions,
]);
