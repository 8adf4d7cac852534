/** `mask`: makes personal values unreadable, column by column. */
import { createHmac } from 'node:crypto';
import {
  type Column,
  defineTransform,
  type Field,
  formatType,
  type LogicalType,
  type StreamSchema,
  secret,
  types,
} from '@sluice/sdk';
import { z } from 'zod';
import { columnIndex, deriveColumns, madeField, type Origin, schemaOf } from './derive.js';
import { transformErrors } from './errors.js';
import { Hmac } from './hash/hmac.js';
import { HmacLanes } from './hash/hmac-lanes.js';
import { type DigestEncoding, hmacText } from './hash/hmac-text.js';
import { vectorOf } from './kernels/from-column.js';
import { columnFrom } from './kernels/to-column.js';
import { toText } from './kernels/to-text.js';
import { expectKind } from './kernels/vector.js';
import { hasText, keepEnds, type MaskColumn, replaceAll } from './mask-text.js';

const SHORTEST_KEY = 16;
const DEFAULT_FILL = '***';

const encoding = z.enum(['hex', 'base64url']);
const method = z.union([
  z.enum(['hmac', 'redact', 'partial']),
  z.strictObject({
    method: z.literal('hmac'),
    encoding: encoding
      .optional()
      .describe('How the digest is written; by default as for the whole transform.'),
    salt: z
      .string()
      .optional()
      .describe(
        'Columns with the same salt give equal values equal digests; by default the name of the column.',
      ),
  }),
  z.strictObject({
    method: z.literal('redact'),
    value: z.string().nullable().default(null).describe('What stands in every row instead.'),
  }),
  z.strictObject({
    method: z.literal('partial'),
    first: z.int().min(0).default(0).describe('How many characters to keep at the beginning.'),
    last: z.int().min(0).default(0).describe('How many characters to keep at the end.'),
    fill: z.string().default(DEFAULT_FILL).describe('What stands for the others, however many there are.'),
  }),
]);
type Method = Exclude<z.infer<typeof method>, string>;

/**
 * - `hmac`: HMAC-SHA256 of the value's text, with the key HMAC-SHA256(`key`, salt); null stays null. Equal values
 *   give equal digests within a column (and across columns of one salt), so that keys and joins keep working.
 * - `redact`: one text, or null, in every row.
 * - `partial`: some characters at the ends; a value that is too short to hide any is hidden whole. Null stays null.
 */
export const maskTransform = defineTransform({
  name: 'mask',
  title: 'Makes values unreadable: keyed digests, redaction, or only their ends kept',
  options: z.strictObject({
    columns: z
      .record(z.string(), method)
      .describe(
        'How to mask each column: `hmac`, `redact`, `partial`, or an object with `method` and its settings.',
      ),
    key: secret().min(SHORTEST_KEY).optional().describe('The secret key of hmac, such as `${env:MASK_KEY}`.'),
    encoding: encoding
      .default('hex')
      .describe('How digests are written: 64 hexadecimal digits or 43 characters of base64url.'),
  }),
  errors: transformErrors,
  bind(schema, options) {
    const fields: Field[] = schema.fields.slice();
    const masks = new Map<number, MaskColumn>();
    for (const [name, given] of Object.entries(options.columns)) {
      const index = columnIndex('mask', schema, name);
      const chosen = typeof given === 'string' ? shorthand(given, schema.fields[index]!.type) : given;
      if (chosen.method !== 'hmac') refuseKey(schema, name, chosen.method);
      const { mask, field } = masking(schema, schema.fields[index]!, chosen, options);
      masks.set(index, mask);
      fields[index] = madeField(field, [schema.fields[index]!]);
    }
    const out = schemaOf('mask', schema, fields, schema.key);
    const names = Object.keys(options.columns);
    return {
      out,
      reads: names,
      writes: names,
      rung: 'columns',
      apply: (batch) => [
        deriveColumns(batch, out, (from) =>
          fields.map((_, i): Origin => {
            const mask = masks.get(i);
            return mask ? () => mask(from.column(i)) : i;
          }),
        ),
      ],
    };
  },
});

function shorthand(given: 'hmac' | 'redact' | 'partial', type: LogicalType): Method {
  if (given === 'hmac') return { method: 'hmac' };
  if (given === 'redact') return { method: 'redact', value: type.kind === 'string' ? DEFAULT_FILL : null };
  return { method: 'partial', first: 1, last: 0, fill: DEFAULT_FILL };
}

function refuseKey(schema: StreamSchema, column: string, how: string): void {
  if (!schema.key.includes(column)) return;
  throw transformErrors.keyMerged(
    `mask: ${how} of the key column ${schema.stream}.${column} would make rows one`,
    {
      details: { stream: schema.stream, column },
    },
  );
}

function masking(
  schema: StreamSchema,
  field: Field,
  chosen: Method,
  options: { readonly key?: string | undefined; readonly encoding: DigestEncoding },
): { mask: MaskColumn; field: Field } {
  const { name, type, nullable } = field;
  const column = `${schema.stream}.${name}`;
  switch (chosen.method) {
    case 'hmac': {
      if (!hasText(type)) throw wrongType(column, type, 'hmac');
      const { key } = options;
      if (key === undefined)
        throw transformErrors.maskNoKey(`mask: ${column} is masked by hmac, and there is no key`);
      const columnKey = createHmac('sha256', key)
        .update(chosen.salt ?? name)
        .digest();
      const mask = digests(type, new Hmac(columnKey), chosen.encoding ?? options.encoding);
      return { mask, field: { name, type: types.string, nullable } };
    }
    case 'redact':
      if (chosen.value !== null && !['string', 'native', 'json'].includes(type.kind)) {
        throw wrongType(column, type, 'redact with a text');
      }
      return {
        mask: replaceAll(type, chosen.value),
        field: { name, type, nullable: chosen.value === null || nullable },
      };
    case 'partial':
      if (!hasText(type) || type.kind === 'bytes') throw wrongType(column, type, 'partial');
      return {
        mask: keepEnds(type, chosen.first, chosen.last, chosen.fill),
        field: { name, type: types.string, nullable },
      };
  }
}

function wrongType(column: string, type: LogicalType, how: string) {
  return transformErrors.wrongType(`mask: ${column} is ${formatType(type)}, which ${how} does not take`);
}

function digests(type: LogicalType, hmac: Hmac, how: DigestEncoding): MaskColumn {
  // The digest of bytes is that of the bytes, of everything else that of its text.
  const text = type.kind === 'bytes' ? undefined : toText(type);
  const lanes = HmacLanes.of(hmac.inner, hmac.outer);
  return (column: Column): Column => {
    const { absent, ...present } = column;
    const values = vectorOf(type, present);
    const read = text ? text([values], column.length) : values;
    const data = hmacText(hmac, read, expectKind(read, 'text'), how, lanes);
    const { validity } = read;
    const made = columnFrom(types.string, { length: column.length, data, ...(validity && { validity }) });
    return absent ? { ...made, absent } : made;
  };
}
