import type { ColumnSpec } from './column-spec.js';

/**
 * Ten columns of mixed types, some 140 bytes a row as text: what benchmarks read and write, and what a first
 * `preview` shows.
 */
export const defaultColumns: { [column: string]: ColumnSpec } = {
  id: { type: 'sequence', start: 1, step: 1 },
  uid: { type: 'uuid' },
  name: { type: 'words', min: 2, max: 3 },
  note: { type: 'text', min: 10, max: 40, alphabet: 'abcdefghijklmnopqrstuvwxyz      ', nulls: 0.05 },
  amount: { type: 'decimal', precision: 12, scale: 2, min: '-99999.99', max: '999999.99' },
  quantity: { type: 'int', bits: 32, signed: true, min: 0, max: 100_000, nulls: 0.02 },
  active: { type: 'bool', share: 0.7 },
  created_at: {
    type: 'timestamp',
    from: '2015-01-01T00:00:00Z',
    to: '2026-01-01T00:00:00Z',
    zone: 'utc',
    unit: 'us',
  },
  day: { type: 'date', from: '2015-01-01', to: '2025-12-31' },
  attributes: {
    type: 'json',
    fields: {
      n: { type: 'int', bits: 32, signed: true, min: 0, max: 9999 },
      tag: { type: 'pick', values: ['red', 'green', 'blue', 'black', 'white'], as: 'string' },
    },
    nulls: 0.05,
  },
};
