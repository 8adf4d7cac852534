/**
 * Values as JSON and back, by their types. What JSON has no number for is text: 64-bit integers and times in their units,
 * decimals; bytes are base64. A value outside its type's range is `{ "special": "infinity" }` (in place of a struct the
 * text alone).
 */
import type { Json } from './json.js';
import type { Field, LogicalType } from './types.js';
import { Special, UNCHANGED, type Value } from './values.js';

/** A value as JSON. What the source did not send is null. */
export function valueToJson(type: LogicalType, value: Value): Json {
  if (value === null || value === UNCHANGED) return null;
  if (value instanceof Special) return type.kind === 'struct' ? value.text : { special: value.text };
  switch (type.kind) {
    case 'float':
      return Number.isFinite(value) && !Object.is(value, -0) ? (value as number) : floatText(value as number);
    case 'bytes':
      return Buffer.from(value as Uint8Array).toString('base64');
    case 'list':
      return (value as readonly Value[]).map((item) => valueToJson(type.item.type, item));
    case 'map':
      return (value as readonly (readonly [Value, Value])[]).map(([key, item]) => [
        valueToJson(type.key.type, key),
        valueToJson(type.value.type, item),
      ]);
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field) => [field.name, valueToJson(field.type, memberOf(value, field))]),
      );
    case 'union': {
      const { tag, value: inner } = value as { tag: string; value: Value };
      return { tag, value: valueToJson(variantOf(type.variants, tag), inner) };
    }
    case 'interval': {
      const { months, days, nanos } = value as { months: number; days: number; nanos: bigint };
      return { months, days, nanos: nanos.toString() };
    }
    case 'timestamp':
      if (type.zone === 'offset') {
        const { at, offset } = value as { at: bigint; offset: number };
        return { at: at.toString(), offset };
      }
      return (value as bigint).toString();
    default:
      return typeof value === 'bigint' ? value.toString() : (value as Json);
  }
}

/** What {@link valueToJson} has made. */
export function valueFromJson(type: LogicalType, json: Json): Value {
  if (json === null) return null;
  const object = json as { readonly [name: string]: Json };
  const special = type.kind === 'struct' ? json : object['special'];
  if (typeof special === 'string') return new Special(special);
  switch (type.kind) {
    case 'int':
      return type.bits === 64 ? BigInt(json as string) : (json as number);
    case 'float':
      return typeof json === 'string' ? Number(json) : (json as number);
    case 'bytes':
      return new Uint8Array(Buffer.from(json as string, 'base64'));
    case 'time':
    case 'duration':
      return BigInt(json as string);
    case 'list':
      return (json as readonly Json[]).map((item) => valueFromJson(type.item.type, item));
    case 'map':
      return (json as unknown as readonly (readonly [Json, Json])[]).map(([key, item]) => [
        valueFromJson(type.key.type, key),
        valueFromJson(type.value.type, item),
      ]);
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field) => [field.name, valueFromJson(field.type, object[field.name] ?? null)]),
      );
    case 'union': {
      const tag = object['tag'] as string;
      return { tag, value: valueFromJson(variantOf(type.variants, tag), object['value']!) };
    }
    case 'interval':
      return {
        months: object['months'] as number,
        days: object['days'] as number,
        nanos: BigInt(object['nanos'] as string),
      };
    case 'timestamp':
      if (type.zone === 'offset') {
        return { at: BigInt(object['at'] as string), offset: object['offset'] as number };
      }
      return BigInt(json as string);
    default:
      return json as Value;
  }
}

function floatText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function memberOf(value: Value, { name }: Field): Value {
  return (value as { readonly [name: string]: Value })[name] ?? null;
}

function variantOf(variants: readonly Field[], tag: string): LogicalType {
  const variant = variants.find(({ name }) => name === tag);
  if (variant === undefined) throw new TypeError(`a union has no variant "${tag}"`);
  return variant.type;
}
