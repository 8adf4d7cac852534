/** Loads the connectors that are installed. */
import type { InstalledConnector, Registry } from '@sluice/core';
import type { Connector, Logger } from '@sluice/sdk';

export interface LoadedConnector {
  readonly connector: Connector;
  readonly installed: InstalledConnector;
}

/** All that can be loaded; the others are logged, so that one broken package does not hide the rest. */
export async function installedConnectors(registry: Registry, log: Logger): Promise<LoadedConnector[]> {
  const loaded: LoadedConnector[] = [];
  for (const installed of registry.list()) {
    try {
      loaded.push({ connector: await registry.connector(installed.package), installed });
    } catch (error) {
      log.warn(`connector ${installed.connector} cannot be loaded`, { package: installed.package, error });
    }
  }
  return loaded;
}
