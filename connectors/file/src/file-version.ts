/** Versions of files, as they are now and as earlier runs have kept them. */

/**
 * Whether a file is still the one that was read. Versions that an earlier release has kept say less: they are what the
 * present ones begin with.
 */
export function isSameVersion(kept: string, now: string): boolean {
  return now === kept || now.startsWith(`${kept}.`);
}
