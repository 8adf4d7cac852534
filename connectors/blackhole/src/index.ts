import { defineConnector } from '@sluice/sdk';
import { type BlackholeConfig, blackholeConfig } from './blackhole-config.js';
import { BlackholeSink } from './blackhole-sink.js';

export { type BlackholeConfig, blackholeConfig };

// biome-ignore lint/style/noDefaultExport: a connector is found as its package's default export
export default defineConnector<BlackholeConfig>({
  name: 'blackhole',
  title: 'Counts rows and drops them, for measuring and trying out sources',
  config: blackholeConfig,
  sink: { create: (config) => new BlackholeSink(config) },
});
