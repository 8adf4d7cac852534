import { type Connector, defineConnector, type JsonObject, type Source } from '@sluice/sdk';
import type { SourceOptions } from '../source/source-subject.js';
import { memoryErrors } from './memory-errors.js';
import {
  MemorySource,
  type MemorySourceConfig,
  type MemoryStream,
  memorySourceConfig,
  openPlace,
} from './memory-source.js';

/** The connector of a memory source, or of one that derives from it. */
export function memorySourceConnector(
  create: (config: MemorySourceConfig) => Source = (config) => new MemorySource(config),
): Connector<MemorySourceConfig> {
  return defineConnector({
    name: 'memory',
    title: 'Rows in the memory of this process',
    config: memorySourceConfig,
    source: { create },
    errors: memoryErrors,
  });
}

let opened = 0;

/** What an author would tell the kit about it. Every rule gets a place of its own. */
export function memorySourceOptions(
  config: JsonObject = {},
  connector: Connector = memorySourceConnector(),
): SourceOptions {
  let place = new Map<string, MemoryStream>();
  return {
    connector,
    config: () => {
      const name = `place ${++opened}`;
      place = openPlace(name);
      return { place: name, token: 'open sesame', ...config };
    },
    modes: ['full', 'incremental'],
    expected: () => Object.fromEntries([...place.values()].map(({ schema, rows }) => [schema.stream, rows])),
    mutate: () => {
      const added = [1001n, 1002n, 1003n].map((id) => ({ id, name: `row ${id}` }));
      place.get('numbers')!.rows.push(...added);
      return { numbers: added };
    },
    unreachable: { place: 'nowhere', token: 'open sesame' },
    patienceMs: 400,
  };
}
