import { Writable } from 'node:stream';
import { testSink } from '@sluice/test';
import { describe } from 'vitest';
import connector from './index.js';
import { StdoutSink } from './stdout-sink.js';

/** Takes rows slowly and keeps none: several streams' lines stand mixed in one output. */
const drained = () =>
  new Writable({ highWaterMark: 512, write: (_chunk, _encoding, done) => void setImmediate(done) });

describe.each(['jsonl', 'csv'])('%s', (format) => {
  testSink({
    connector: {
      ...connector,
      sink: { create: (config) => new StdoutSink(connector.config.parse(config), drained()) },
    },
    modes: { append: 'append' },
    config: () => ({ format }),
  });
});
