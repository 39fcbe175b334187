/**
 * What `vestibule storage migrate` does to one half of the storage, through its `TransferPort`:
 *
 *   begin.ts      may this be copied into, and from where on: an empty target, or an unfinished copy of ours
 *   copy.ts       makes the target the same as the source
 *   marker.ts     how far it is, noted at the target
 *   compare.ts    counts and checksums of both sides, and what differs
 *   report.ts     what was found, in lines for an operator
 *   walk.ts       both sides at once, in the order of their keys; a page of each is all that is in memory
 *   canonical.ts  a row as text, the same whichever engine it comes from
 *   sides.ts      what all of them are given
 */
import type { Begun } from './begin.ts';
import { type Comparison, compare } from './compare.ts';
import { copy } from './copy.ts';
import { saveMarker } from './marker.ts';
import type { Sides } from './sides.ts';

export { type Begun, begin } from './begin.ts';
export { type Comparison, isSame } from './compare.ts';
export { comparisonText } from './report.ts';
export type { Report, Sides } from './sides.ts';

/**
 * Copies what isn't copied yet, then compares everything.
 *
 * @param begun what `begin` said of the target
 * @returns one comparison a collection
 */
export async function transfer(sides: Sides, begun: Begun): Promise<Comparison[]> {
  if (begun.at) await copy(sides, begun.at);
  return compare(sides);
}

/** Everything was the same, or it is to be gone through once more from the beginning: what differs may stand anywhere. */
export const conclude = ({ source, target }: Sides, isFinished: boolean): Promise<void> =>
  isFinished ? target.finish() : saveMarker(target, source.place, { rows: 0 });
