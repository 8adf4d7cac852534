/** What doctor looks at, one system or part at a time. */
import type { Finding } from '@sluice/sdk';

export interface Section {
  readonly about: 'machine' | 'ledger' | 'job' | 'source' | 'sink';
  /** Name of the connection, and of the flow that uses it. */
  readonly connection?: string;
  readonly connector?: string;
  readonly flow?: string;
  readonly findings: readonly Finding[];
}
