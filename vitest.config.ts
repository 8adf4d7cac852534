// Tests lie beside the code; packages see each other through their build, as users do.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['**/src/**/*.test.ts', 'scripts/**/*.test.mjs'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    reporters: ['default', './scripts/vitest-summary.mjs'],
    server: { deps: { external: [/[\\/]dist[\\/]/] } },
  },
});
