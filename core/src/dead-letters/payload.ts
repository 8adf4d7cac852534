/** A row as JSON and back, by its schema; what the source did not send of it is left out. */
import {
  type Json,
  type JsonObject,
  type Row,
  type StreamSchema,
  UNCHANGED,
  valueFromJson,
  valueToJson,
} from '@sluice/sdk';

export function rowToJson(schema: StreamSchema, row: Row): JsonObject {
  const json: { [name: string]: Json } = {};
  for (const { name, type } of schema.fields) {
    const value = row[name];
    if (value !== UNCHANGED) json[name] = valueToJson(type, value ?? null);
  }
  return json;
}

export function rowFromJson(schema: StreamSchema, json: JsonObject): Row {
  const row: Row = {};
  for (const { name, type } of schema.fields) {
    row[name] = Object.hasOwn(json, name) ? valueFromJson(type, json[name]!) : UNCHANGED;
  }
  return row;
}
