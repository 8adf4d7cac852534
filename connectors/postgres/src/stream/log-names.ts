/** The names of a flow's slot and publication. */
import { createHash } from 'node:crypto';

export interface LogNames {
  readonly slot: string;
  readonly publication: string;
}

/** What all names look like that {@link ownName} makes, as a regular expression of the server's. */
export const OWN_NAMES = '^sluice_[a-z0-9_]*_[0-9a-f]{8}$';

/** A name that no other flow has, and that people recognise; a slot's may have small letters and digits. */
export function ownName(flow: string): string {
  const readable = flow
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .slice(0, 40);
  const hash = createHash('sha256').update(flow).digest('hex').slice(0, 8);
  return `sluice_${readable}_${hash}`;
}
