/** What columns hold. */
import { Batch, columnValues, getBit, isValid, type Layout, Special } from '@sluice/sdk';
import { describe, expect, it } from 'vitest';
import { onlyColumn, sourceOf } from './testing/read-generated.js';

describe('columns', () => {
  it('keep to their bounds', async () => {
    const ints = (await onlyColumn({ type: 'int', bits: 8, min: -3, max: 4 })).map(
      (row) => row['c'] as number,
    );
    expect(new Set(ints)).toEqual(new Set([-3, -2, -1, 0, 1, 2, 3, 4]));
    const wide = (await onlyColumn({ type: 'int', bits: 64 })).map((row) => row['c'] as bigint);
    expect(wide.some((v) => v < -(2n ** 62n)) && wide.some((v) => v > 2n ** 62n)).toBe(true);
    const unsigned = (await onlyColumn({ type: 'int', bits: 64, signed: false })).map(
      (row) => row['c'] as bigint,
    );
    expect(unsigned.every((v) => v >= 0n) && unsigned.some((v) => v >= 2n ** 63n)).toBe(true);
    const money = (
      await onlyColumn({ type: 'decimal', precision: 5, scale: 2, min: '-1.50', max: '1.50' })
    ).map((row) => row['c'] as string);
    expect(money.every((v) => /^-?\d\.\d\d$/.test(v) && Math.abs(Number(v)) <= 1.5)).toBe(true);
    expect(money.some((v) => v.startsWith('-'))).toBe(true);
    const big = (await onlyColumn({ type: 'decimal', precision: 38, scale: 3 })).map(
      (row) => row['c'] as string,
    );
    expect(big.some((v) => v.length > 37)).toBe(true);
    const days = (await onlyColumn({ type: 'date', from: '1969-12-31', to: '1970-01-02' })).map(
      (row) => row['c'],
    );
    expect(new Set(days)).toEqual(new Set([-1, 0, 1]));
  });

  it('choose by weight, share and length', async () => {
    const picks = await onlyColumn({ type: 'pick', values: ['a', 'ü', 'c'], weights: [8, 2, 0] }, 10_000);
    const count = (value: string) => picks.filter((row) => row['c'] === value).length;
    expect(count('c')).toBe(0);
    expect(count('a') / picks.length).toBeCloseTo(0.8, 1);
    expect(count('a') + count('ü')).toBe(picks.length);
    const texts = await onlyColumn({ type: 'text', min: 2, max: 4, alphabet: 'aß漢😀' });
    const lengths = texts.map((row) => [...(row['c'] as string)].length);
    expect(new Set(lengths)).toEqual(new Set([2, 3, 4]));
    expect(new Set(texts.flatMap((row) => [...(row['c'] as string)]))).toEqual(new Set('aß漢😀'));
    const bools = await onlyColumn({ type: 'bool', share: 0.25 }, 10_000);
    expect(bools.filter((row) => row['c']).length / bools.length).toBeCloseTo(0.25, 1);
    const uuids = await onlyColumn({ type: 'uuid' });
    expect(new Set(uuids.map((row) => row['c'])).size).toBe(uuids.length);
    expect(uuids[0]!['c']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('make documents that parse, whatever their members hold', async () => {
    const fields = {
      n: { type: 'int', min: -2_000_000_000 },
      quoted: { type: 'pick', values: ['"', '\\', '\n', 'é', ''] },
      exact: { type: 'decimal', precision: 30, scale: 2 },
      maybe: { type: 'bool', nulls: 0.5 },
      inner: { type: 'json', fields: {} },
      items: { type: 'list', item: { type: 'uuid' } },
      'a "name"': { type: 'words' },
    };
    const rows = await onlyColumn({ type: 'json', fields });
    for (const row of rows) {
      const document = JSON.parse(row['c'] as string);
      expect(Object.keys(document)).toEqual(Object.keys(fields));
      expect(Number.isInteger(document.n) && Array.isArray(document.items)).toBe(true);
      expect(fields.quoted.values).toContain(document.quoted);
    }
    expect(rows.some((row) => JSON.parse(row['c'] as string).n < 0)).toBe(true);
  });

  it('have nulls and special values in the share that is asked for, with empty buffers beneath', async () => {
    const columns = {
      a: { type: 'int', nulls: 0.3 },
      b: { type: 'words', nulls: 0.3 },
      c: { type: 'list', item: { type: 'text' }, min: 1, nulls: 0.3 },
      d: { type: 'struct', fields: { x: { type: 'uuid' }, y: { type: 'bool' } }, nulls: 0.3 },
      e: { type: 'union', variants: { x: { type: 'int' }, y: { type: 'text' } }, nulls: 0.3 },
      f: { type: 'timestamp', special: { share: 0.3, values: ['infinity', '-infinity'] } },
      g: { type: 'decimal', precision: 25, scale: 1, nulls: 0.3 },
      h: { type: 'timestamp', zone: 'offset', nulls: 0.3 },
    };
    const { splits, messages } = await sourceOf({ rows: 1000, streams: { s: { columns } } });
    const [batch] = await messages((await splits())[0]!);
    if (!(batch instanceof Batch)) throw new Error('a batch comes first');
    expect(batch.rowCount).toBe(1000);
    for (const [i, column] of batch.columns().entries()) {
      const empty = Array.from({ length: 1000 }, (_, row) => row).filter((row) => !isValid(column, row));
      expect(empty.length / 1000, batch.schema.fields[i]!.name).toBeCloseTo(0.3, 1);
      for (const row of empty) expect(heldBy(column.data, row)).toBe(0);
    }
    const specials = columnValues(batch.schema.fields[5]!.type, batch.column(5)).filter(
      (v) => v instanceof Special,
    );
    expect(new Set(specials.map((v) => (v as Special).text))).toEqual(new Set(['infinity', '-infinity']));
  });

  it('of every type survive being read as rows and built again', async () => {
    const columns = {
      sequence: { type: 'sequence', start: -5, step: 3 },
      u8: { type: 'int', bits: 8, signed: false },
      f32: { type: 'float', bits: 32, min: -1, max: 1 },
      f64: { type: 'float' },
      unbounded: { type: 'decimal', scale: 4 },
      binary: { type: 'bytes' },
      label: { type: 'pick', values: ['x', 'y'], as: 'enum' },
      clock: { type: 'time', unit: 'ns' },
      local: { type: 'timestamp', zone: 'none', unit: 'ns' },
      kept: { type: 'timestamp', zone: 'offset' },
      gap: { type: 'interval' },
      length: { type: 'duration' },
      other: { type: 'native', name: 'point', values: ['(0,0)', '(1,2)'] },
      nothing: { type: 'null' },
      lists: { type: 'list', item: { type: 'list', item: { type: 'int', nulls: 0.2 } } },
      pairs: { type: 'map', key: { type: 'words' }, value: { type: 'float', nulls: 0.1 } },
      either: {
        type: 'union',
        variants: { n: { type: 'int' }, s: { type: 'struct', fields: { t: { type: 'text' } } } },
      },
    };
    const { splits, messages } = await sourceOf({ rows: 300, streams: { s: { columns } } });
    for (const message of await messages((await splits())[0]!)) {
      if (message.kind !== 'batch') continue;
      const rebuilt = Batch.ofRows(message.schema, message.rows());
      const values = (batch: Batch) =>
        batch.schema.fields.map((f, i) => columnValues(f.type, batch.column(i)));
      expect(values(rebuilt)).toEqual(values(message));
      expect(message.rows()[0]!['sequence']).toBe(-5n);
    }
  });
});

/** How much the buffers hold of a row: values other than zero, bytes and items. */
function heldBy(data: Layout, row: number): number {
  switch (data.layout) {
    case 'bits':
      return Number(getBit(data.values, row));
    case 'fixed':
      return Number(data.values[row]);
    case 'bytes':
      return data.values
        .subarray(row * data.width, (row + 1) * data.width)
        .reduce((sum, byte) => sum + byte, 0);
    case 'varlen':
    case 'list':
      return data.offsets[row + 1]! - data.offsets[row]!;
    case 'struct':
    case 'union':
      return data.children.reduce((sum, child) => sum + heldBy(child.data, row), 0);
    default:
      return 0;
  }
}
