import { testSink } from '@sluice/test';
import connector from './index.js';

testSink({
  connector,
  modes: { append: 'append', upsert: 'keyed', replace: 'append' },
  config: () => ({}),
});
