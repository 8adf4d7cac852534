/** Which decoder a field's cells go through. */
import type { Field } from '@sluice/sdk';
import type { ExtraMembers } from '../jsonl/tree-value.js';
import type { BytesText, CellDecoder } from './cell-decoder.js';
import { decimals, floats } from './decode-decimals.js';
import { bigIntegers, smallIntegers } from './decode-integers.js';
import { documents, durations, intervals, nothings } from './decode-nested.js';
import { booleans, byteStrings, labels, texts, uuids } from './decode-texts.js';
import { dates, offsetTimestamps, times, timestamps } from './decode-times.js';

export interface CellFormats {
  /** How bytes stand in text (default base64). */
  readonly bytes?: BytesText;
  /** What to do with members of objects that a struct does not have (default `fail`). */
  readonly extra?: ExtraMembers;
}

/** The decoder of a field's cells. Canonical texts are those that the writers write; usual others are read too. */
export function cellDecoder(field: Field, formats: CellFormats = {}): CellDecoder {
  const { type } = field;
  switch (type.kind) {
    case 'bool':
      return booleans(field);
    case 'int':
      return type.bits === 64
        ? bigIntegers(field, type.signed)
        : smallIntegers(field, type.bits, type.signed);
    case 'float':
      return floats(field, type.bits);
    case 'decimal':
      return decimals(field, type.precision, type.scale ?? 0);
    case 'uuid':
      return uuids(field);
    case 'date':
      return dates(field);
    case 'time':
      return times(field, type.unit);
    case 'timestamp':
      return type.zone === 'offset'
        ? offsetTimestamps(field, type.unit)
        : timestamps(field, type.unit, type.zone);
    case 'string':
    case 'native':
    case 'json':
      return texts(field);
    case 'enum':
      return labels(field, type.values);
    case 'bytes':
      return byteStrings(field, formats.bytes ?? 'base64');
    case 'interval':
      return intervals(field);
    case 'duration':
      return durations(field, type.unit);
    case 'null':
      return nothings(field);
    case 'list':
    case 'struct':
    case 'map':
    case 'union':
      return documents(field, formats.extra ?? 'fail');
  }
}
