/** Finds a code as people type it: in any case, with or without the prefix and the leading zeros. */
import { type ErrorEntry, nearestName } from '@sluice/sdk';
import { cliErrors } from '../errors.js';

/** Throws `SLUICE-CLI-0003` with the nearest code when there is none. */
export function findError(entries: readonly ErrorEntry[], asked: string): ErrorEntry {
  const wanted = fullCode(asked);
  const found = entries.find(({ code }) => code === wanted);
  if (found !== undefined) return found;
  const near = nearestName(
    wanted,
    entries.map(({ code }) => code),
  );
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  throw cliErrors.nothingThere(
    `no installed package declares the error code ${asked}${hint}`,
    near === undefined ? { help: 'Codes look like SLUICE-PG-0012; an error prints its own.' } : {},
  );
}

/** `pg-12` → `SLUICE-PG-0012` */
function fullCode(asked: string): string {
  const parts = /^(?:SLUICE-)?([A-Z0-9]+)-0*(\d{1,4})$/.exec(asked.trim().toUpperCase());
  return parts === null ? asked.toUpperCase() : `SLUICE-${parts[1]}-${parts[2]!.padStart(4, '0')}`;
}
