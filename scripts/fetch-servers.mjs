// Fetches every server and reader that a full test run requires, and starts each once, so that the tests
// find them in the cache. Needs a build. The tests do the same on their own, one by one and on their time.
import { requireNode } from './node-version.mjs';

requireNode();
const { pgbouncer, promtool, pythonWithReaders, requiredServers, SmallDisk, starters } = await import(
  '../test/dist/index.js'
);

const others = {
  'python-readers': pythonWithReaders,
  promtool,
  pgbouncer,
  'small-disk': async () => (await SmallDisk.mount(1 << 20)).unmount(),
};

async function fetchOne(name) {
  const begin = Date.now();
  try {
    if (name in others) await others[name]();
    else await (await starters[name]({})).stop();
    console.log(`${name}: ready in ${Date.now() - begin} ms`);
    return true;
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}

const outcomes = await Promise.all(requiredServers.map(fetchOne));
process.exit(outcomes.every(Boolean) ? 0 : 1);
