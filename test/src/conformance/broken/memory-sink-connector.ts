import {
  type Connector,
  defineConnector,
  type JsonObject,
  type Protocol,
  type Row,
  type Sink,
} from '@sluice/sdk';
import type { SinkOptions } from '../sink/sink-subject.js';
import { databaseAt, openDatabase } from './memory-database.js';
import { memoryErrors } from './memory-errors.js';
import { MemorySink } from './memory-sink.js';
import { type MemorySinkConfig, memoryModes, memorySinkConfig } from './memory-sink-config.js';

/** The connector of a memory sink, or of one that derives from it. */
export function memorySinkConnector(
  create: (config: MemorySinkConfig) => Sink = (config) => new MemorySink(config),
): Connector<MemorySinkConfig> {
  return defineConnector({
    name: 'memory',
    title: 'Tables in the memory of this process',
    config: memorySinkConfig,
    sink: { create },
    errors: memoryErrors,
  });
}

let opened = 0;

/** What an author would tell the kit about it. Every rule gets a place of its own. */
export function memorySinkOptions(
  protocol: Protocol,
  connector: Connector = memorySinkConnector(),
): SinkOptions {
  return {
    connector,
    config: (): JsonObject => {
      const place = `database ${++opened}`;
      openDatabase(place);
      return { place, token: 'open sesame', protocol };
    },
    modes: memoryModes[protocol],
    read: ({ target, config }): readonly Row[] =>
      databaseAt(config['place'] as string).tables.get(target)?.rows ?? [],
    unreachable: { place: 'nowhere', token: 'open sesame', protocol },
    manyRows: 20_000,
    patienceMs: 400,
  };
}
