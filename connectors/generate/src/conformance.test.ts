import { testSource } from '@sluice/test';
import connector from './index.js';

const rows = 240;
const count = Array.from({ length: rows }, (_, i) => ({ n: BigInt(10 + 3 * i), nothing: null }));

testSource({
  connector,
  modes: ['full', 'incremental'],
  config: {
    rows,
    splitRows: 100,
    streams: {
      count: {
        columns: { n: { type: 'sequence', start: 10, step: 3 }, nothing: { type: 'null' } },
        key: ['n'],
      },
      'all kinds': {
        columns: {
          id: { type: 'sequence' },
          int8: { type: 'int', bits: 8, nulls: 0.1 },
          uint64: { type: 'int', bits: 64, signed: false },
          float32: { type: 'float', bits: 32, nulls: 0.1 },
          decimal: { type: 'decimal', precision: 12, scale: 2, special: { share: 0.1, values: ['NaN'] } },
          wide: { type: 'decimal', precision: 38, scale: 6, nulls: 0.1 },
          unbounded: { type: 'decimal', scale: 3 },
          text: { type: 'text', alphabet: 'aä日\u{1F600}', nulls: 0.2 },
          words: { type: 'words' },
          bytes: { type: 'bytes', nulls: 0.1 },
          uuid: { type: 'uuid', nulls: 0.1 },
          bool: { type: 'bool', nulls: 0.1 },
          date: { type: 'date', special: { share: 0.05, values: ['infinity', '0044-03-15 BC'] } },
          time: { type: 'time', nulls: 0.1 },
          timestamp: { type: 'timestamp', zone: 'utc' },
          kept: { type: 'timestamp', zone: 'offset', unit: 'ns', nulls: 0.1 },
          interval: { type: 'interval', nulls: 0.1 },
          duration: { type: 'duration' },
          label: { type: 'pick', values: ['red', 'green'], as: 'enum', nulls: 0.1 },
          point: { type: 'native', name: 'point', values: ['(1,2)', '(3,4)'] },
          json: { type: 'json', fields: { a: { type: 'int' }, b: { type: 'words' } }, nulls: 0.1 },
          list: { type: 'list', item: { type: 'int', nulls: 0.2 }, nulls: 0.1 },
          struct: { type: 'struct', fields: { a: { type: 'text', nulls: 0.5 } }, nulls: 0.2 },
          map: { type: 'map', key: { type: 'text' }, value: { type: 'int', nulls: 0.3 }, nulls: 0.1 },
          union: {
            type: 'union',
            variants: { number: { type: 'int' }, text: { type: 'words' } },
            nulls: 0.1,
          },
        },
      },
      empty: { rows: 0, columns: { id: { type: 'sequence' } } },
    },
  },
  expected: { count, empty: [] },
});
