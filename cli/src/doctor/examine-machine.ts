/** Versions of the programs, and memory. */
import { memoryAvailable, type Registry } from '@sluice/core';
import type { Finding } from '@sluice/sdk';
import { formatBytes } from '../output/numbers.js';
import { version } from '../version.js';
import type { Section } from './section.js';

/** Of a job's connectors, or of all that are installed. */
export function examineMachine(registry: Registry, used: readonly string[] | undefined): Section {
  const installed = registry
    .list()
    .filter(
      ({ connector, package: name }) => used?.some((wanted) => [connector, name].includes(wanted)) ?? true,
    );
  const connectors = installed.map((found) => `${found.connector} ${found.version}`).join(', ');
  return {
    about: 'machine',
    findings: [
      { level: 'ok', what: `Sluice ${version()} on ${process.platform} ${process.arch}` },
      nodeFinding(process.versions.node),
      ...(connectors === '' ? [] : [{ level: 'ok', what: `connectors: ${connectors}` } as const]),
      memoryFinding(memoryAvailable()),
    ],
  };
}

const LEAST_NODE = [20, 19] as const;

export function nodeFinding(node: string): Finding {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const [leastMajor, leastMinor] = LEAST_NODE;
  const isOld = major < leastMajor || (major === leastMajor && minor < leastMinor);
  const what = `Node.js ${node}`;
  if (!isOld) return { level: 'ok', what };
  const fix = `Install Node.js ${LEAST_NODE.join('.')} or newer.`;
  return { level: 'fail', what: `${what} is too old`, fix, class: 'config' };
}

/** The least budget is a quarter of this. */
const LITTLE_MEMORY = 256 << 20;

export function memoryFinding({
  bytes,
  limited,
}: {
  readonly bytes: number;
  readonly limited: boolean;
}): Finding {
  const what = `${formatBytes(bytes)} of memory (${limited ? 'limit of the container' : 'all of the machine'})`;
  if (bytes >= LITTLE_MEMORY) return { level: 'ok', what };
  const fix = `Raise the container's limit to ${formatBytes(LITTLE_MEMORY)} or more.`;
  return { level: 'warn', what: `${what} is little`, fix };
}
