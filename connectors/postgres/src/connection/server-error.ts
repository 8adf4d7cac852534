/**
 * ErrorResponse messages of the server as coded errors, by SQLSTATE.
 * Fields: https://www.postgresql.org/docs/current/protocol-error-fields.html;
 * codes: https://www.postgresql.org/docs/current/errcodes-appendix.html.
 */
import type { ErrorFactory, Json, SluiceError } from '@sluice/sdk';
import { pgErrors } from '../errors.js';

/** Fields of an ErrorResponse by their one-letter names. */
export type ErrorFields = { readonly [letter: string]: string };

/** The fields of an ErrorResponse body: letter and zero-terminated text each, and a zero at the end. */
export function errorFields(body: Buffer): ErrorFields {
  const fields: { [letter: string]: string } = {};
  let at = 0;
  while (at < body.length && body[at] !== 0) {
    const letter = String.fromCharCode(body[at]!);
    const end = body.indexOf(0, at + 1);
    if (end < 0) break;
    fields[letter] = body.toString('utf8', at + 1, end);
    at = end + 1;
  }
  return fields;
}

const BY_STATE: { readonly [state: string]: ErrorFactory } = {
  '28P01': pgErrors.wrongPassword,
  '28000': pgErrors.loginRefused,
  '3D000': pgErrors.unknownDatabase,
  '42501': pgErrors.permission,
  '53300': pgErrors.tooManyConnections,
  '53100': pgErrors.resources,
  '53200': pgErrors.resources,
  '53000': pgErrors.resources,
  '53400': pgErrors.resources,
  '54000': pgErrors.valueRefused,
  '57014': pgErrors.canceled,
  '57P01': pgErrors.serverStopping,
  '57P02': pgErrors.serverStopping,
  '57P03': pgErrors.serverStopping,
  '57P04': pgErrors.unknownDatabase,
  '57P05': pgErrors.serverStopping,
  '25P03': pgErrors.connectionLost,
  '25P04': pgErrors.canceled,
  '25006': pgErrors.readOnly,
  '55P03': pgErrors.lockTimeout,
  '55006': pgErrors.conflict,
  '40001': pgErrors.conflict,
  '40P01': pgErrors.conflict,
  '23505': pgErrors.uniqueViolation,
  '3F000': pgErrors.missing,
  '42P01': pgErrors.missing,
  '42703': pgErrors.missing,
  '42704': pgErrors.missing,
  '42883': pgErrors.missing,
  '42P07': pgErrors.conflict,
  '42710': pgErrors.conflict,
  '42701': pgErrors.unsupported,
  '42P16': pgErrors.unsupported,
  '54011': pgErrors.unsupported,
  '2BP01': pgErrors.unsupported,
  '0A000': pgErrors.unsupported,
  '42P10': pgErrors.keyMissing,
  P0001: pgErrors.constraintViolation,
  '44000': pgErrors.constraintViolation,
};

const BY_CLASS: { readonly [stateClass: string]: ErrorFactory } = {
  '08': pgErrors.connectionLost,
  '22': pgErrors.valueRefused,
  '23': pgErrors.constraintViolation,
  '28': pgErrors.loginRefused,
  '40': pgErrors.conflict,
  '53': pgErrors.resources,
  '57': pgErrors.serverStopping,
  '58': pgErrors.resources,
};

/** Classes of errors that computing a value ends with: cardinality, data, and what functions raise. */
const COMPUTING = new Set(['21', '22', 'P0']);
/** The server's own name of the place where it refuses to hide rows, which no language setting changes. */
const HIDES_ROWS = 'check_enable_rls';

/** The coded error of an ErrorResponse; `doing` says what was under way, `reads` that rows were to be read. */
export function serverError(fields: ErrorFields, doing?: string, reads = false): SluiceError {
  const state = fields['C'] ?? '';
  const factory = factoryFor(state, fields['R'], reads);
  const where = copyContext(fields['W']);
  const parts = [
    doing === undefined ? '' : `${doing}: `,
    fields['M'] ?? 'the server reported an error without a message',
    fields['D'] ? ` (${fields['D']})` : '',
    where === undefined ? '' : `; ${where.text}`,
    fields['H'] ? `; hint: ${fields['H']}` : '',
    ` [${state}]`,
  ];
  const details: { [name: string]: Json } = { sqlstate: state };
  if (where?.row !== undefined) details['row'] = where.row;
  const column = where?.column ?? fields['c'];
  if (column !== undefined) details['column'] = column;
  if (fields['t'] !== undefined)
    details['table'] = fields['s'] === undefined ? fields['t'] : `${fields['s']}.${fields['t']}`;
  if (fields['n'] !== undefined) details['constraint'] = fields['n'];
  return factory(parts.join(''), { details });
}

function factoryFor(state: string, routine: string | undefined, reads: boolean): ErrorFactory {
  if (routine === HIDES_ROWS) return pgErrors.rowsHidden;
  if (reads && COMPUTING.has(state.slice(0, 2))) return pgErrors.readFailed;
  return BY_STATE[state] ?? BY_CLASS[state.slice(0, 2)] ?? pgErrors.statementFailed;
}

/** `COPY t, line 3, column c`: which row of a COPY failed (counted from 1) and in which column. */
function copyContext(
  context: string | undefined,
): { text: string; row?: number; column?: string } | undefined {
  const match =
    context === undefined ? null : /COPY [^\n]*?, line (\d+)(?:, column ([^\n]+?))?(?::|$)/m.exec(context);
  if (match === null) return undefined;
  const row = Number(match[1]);
  const column = match[2];
  return { text: match[0].replace(/:$/, ''), row, ...(column !== undefined && { column }) };
}

/** Whether an error is the server's answer with this SQLSTATE. */
export function hasState(error: unknown, state: string): boolean {
  const details = (error as { details?: { sqlstate?: unknown } } | undefined)?.details;
  return details?.sqlstate === state;
}
