/** How the deliberately broken sources are made. */
import type { Connector, JsonObject, ReadMode } from '@sluice/sdk';
import type { SourceOptions } from '../source/source-subject.js';
import type { MemorySource, MemorySourceConfig } from './memory-source.js';
import { memorySourceConnector, memorySourceOptions } from './memory-source-connector.js';

export interface BrokenSource {
  /** The rule that catches it. */
  readonly rule: string;
  /** What it does wrong. */
  readonly what: string;
  readonly options: SourceOptions;
  /** The read mode in which it shows. */
  readonly mode?: ReadMode;
}

type MemorySourceClass = new (config: MemorySourceConfig) => MemorySource;

/** A source of a class that derives from the one that keeps the rules. */
export function broken(
  rule: string,
  what: string,
  Class: MemorySourceClass,
  mode?: ReadMode,
  config?: JsonObject,
): BrokenSource {
  const options = memorySourceOptions(
    config,
    memorySourceConnector((parsed) => new Class(parsed)),
  );
  return { rule, what, options, ...(mode && { mode }) };
}

/** A good source that is declared wrongly. */
export function declared(rule: string, what: string, wrong: object): BrokenSource {
  const connector = { ...memorySourceConnector(), ...wrong } as Connector;
  return { rule, what, options: memorySourceOptions({}, connector) };
}

const leaked: NodeJS.Timeout[] = [];

/** Leaves a timer running. */
export function leak(): void {
  leaked.push(setInterval(() => {}, 60_000));
}

/** Ends what the leaking variants left running. */
export function endLeaks(): void {
  for (const timer of leaked.splice(0)) clearInterval(timer);
}
