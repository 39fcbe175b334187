import type { TransferRow } from '../../storage/ports.ts';
import { lineOf } from './canonical.ts';
import { type Position, saveMarker } from './marker.ts';
import type { Sides } from './sides.ts';
import { PAGE, walk } from './walk.ts';

/**
 * Makes the target the same as the source: writes what is missing or differs, removes what the source no longer has.
 * Killed at any moment, it can be called again with the position that was noted last: what was written since is
 * found there, and left as it is.
 */
export async function copy(sides: Sides, begun: Position): Promise<void> {
  const { collections, place } = sides.source;
  const first = Math.max(0, collections.indexOf(begun.collection ?? ''));
  let { rows } = begun;
  for (const collection of collections.slice(first)) {
    const after = collection === begun.collection ? begun.after : undefined;
    await saveMarker(sides.target, place, { collection, rows, ...(after === undefined ? {} : { after }) });
    rows = await copyCollection(sides, collection, after, rows);
  }
}

/** @param rows dealt with before @returns the same, with these */
async function copyCollection(
  sides: Sides,
  collection: string,
  after: string | undefined,
  rows: number,
): Promise<number> {
  const { source, target, report } = sides;
  let done = rows;
  let wanted: TransferRow[] = [];
  let unwanted: TransferRow[] = [];
  const settle = async (): Promise<void> => {
    // First what goes: it may hold a name that a new one takes.
    if (unwanted.length > 0) await target.remove(collection, unwanted);
    if (wanted.length > 0) await target.write(collection, wanted);
    [wanted, unwanted] = [[], []];
  };
  for await (const pair of walk(sides, collection, after)) {
    if (!pair.source && pair.target) unwanted.push(pair.target);
    else if (pair.source && !(pair.target && lineOf(pair.source) === lineOf(pair.target))) wanted.push(pair.source);
    done += 1;
    report('copying', collection, done);
    if ((done - rows) % PAGE === 0) {
      await settle();
      await saveMarker(target, source.place, { collection, after: pair.key, rows: done });
    }
  }
  await settle();
  return done;
}
