/** A place in a split, for people. */
import type { Json } from '@sluice/sdk';
import { cut, visible } from '../output/cells.js';

const WIDTH = 40;

/** `start` where nothing is committed. */
export function placeText(
  place: { readonly epoch: number; readonly position: Json; readonly sealed: boolean } | undefined,
): string {
  if (place === undefined) return 'start';
  const { epoch, position, sealed } = place;
  return `${epoch}: ${sealed ? 'done' : cut(visible(JSON.stringify(position)), WIDTH)}`;
}
