/**
 * Raised by the decoders, which know what is wrong but not where in the file they are; whoever reads the page or
 * the footer turns it into a coded error with the offset.
 */
export class Damage extends Error {}

/** Fails unless a condition holds that every sound file meets. */
export function sound(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Damage(otherwise);
}

/** Raised where decoding would take more memory than any sound use needs; said apart from damage. */
export class Excess extends Damage {}

/** Fails where a size passes its limit. */
export function within(size: number, limit: number, what: string): void {
  if (size > limit) throw new Excess(`${what} (${size}, at most ${limit})`);
}
