import { defineConnector } from '@sluice/sdk';
import { generateErrors } from './errors.js';
import { type GenerateConfig, generateConfig } from './generate-config.js';
import { GenerateSource } from './generate-source.js';

export { type GenerateConfig, generateConfig, generateErrors };

// biome-ignore lint/style/noDefaultExport: a connector is found as its package's default export
export default defineConnector<GenerateConfig>({
  name: 'generate',
  title: 'Seeded rows of any type, for trying things out, tests and benchmarks',
  config: generateConfig,
  source: { create: (config) => new GenerateSource(config) },
  errors: generateErrors,
});
