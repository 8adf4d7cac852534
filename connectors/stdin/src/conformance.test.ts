import { Readable } from 'node:stream';
import { testSource } from '@sluice/test';
import { describe } from 'vitest';
import connector from './index.js';
import { StdinSource } from './stdin-source.js';

const rows = Array.from({ length: 200 }, (_, i) => ({
  id: BigInt(i),
  name: i % 9 === 0 ? null : `na"me, ${i}\n\u{1F600}`,
  amount: i / 4,
}));

const texts = {
  jsonl: rows.map(({ id, name, amount }) => `${JSON.stringify({ id: Number(id), name, amount })}\n`).join(''),
  csv: [
    'id,name,amount\n',
    ...rows.map(
      ({ id, name, amount }) => `${id},${name === null ? '' : `"${name.replaceAll('"', '""')}"`},${amount}\n`,
    ),
  ].join(''),
};

/** As a pipe would hand it over: in pieces that end anywhere. */
function piped(text: string): Readable {
  const bytes = Buffer.from(text);
  return Readable.from(
    Array.from({ length: Math.ceil(bytes.length / 777) }, (_, i) => bytes.subarray(i * 777, (i + 1) * 777)),
  );
}

describe.each(['jsonl', 'csv'] as const)('%s', (format) => {
  testSource({
    connector: {
      ...connector,
      source: { create: (config) => new StdinSource(connector.config.parse(config), piped(texts[format])) },
    },
    modes: ['full'],
    replay: false,
    config: { format, columns: { id: 'int64', name: 'string', amount: 'float64' } },
    expected: { stdin: rows },
  });
});
