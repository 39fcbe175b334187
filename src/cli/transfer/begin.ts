import { OperatorError } from '../../kernel/errors.ts';
import type { TransferPort } from '../../storage/ports.ts';
import { type Position, readMarker } from './marker.ts';

export interface Begun {
  /** Where to go on; absent where nothing may be written, only compared. */
  readonly at?: Position;
}

/**
 * Says whether, and from where on, the target may be written to. What isn't a copy of ours is never overwritten.
 * Writes nothing itself.
 *
 * @param resume the operator knows that there is an unfinished copy
 * @throws OperatorError when it may not
 */
export async function begin(source: TransferPort, target: TransferPort, resume: boolean): Promise<Begun> {
  if ((await source.marker()) !== undefined) {
    throw new OperatorError(`${source.place} is an unfinished copy itself, rows are missing there: finish it first.`);
  }
  const marker = await readMarker(target);
  if (marker && marker.source !== source.place) {
    throw new OperatorError(
      `${target.place} holds an unfinished copy of something else, ${marker.source}: finish that one, or empty the target.`,
    );
  }
  if (marker && !resume) {
    throw new OperatorError(`${target.place} holds an unfinished copy of ${source.place}: --resume goes on with it.`);
  }
  if (marker) return { at: marker.at };

  const taken = await firstTaken(target);
  if (taken === undefined) return { at: { rows: 0 } };
  // It may be the half that was finished before the other one was interrupted; comparing tells.
  if (resume) return {};
  throw new OperatorError(
    `${target.place} isn't empty, there are rows in ${taken}: data is copied into an empty database only. ` +
      'Nothing was changed.',
  );
}

/** The first collection that has rows. */
async function firstTaken(port: TransferPort): Promise<string | undefined> {
  for (const collection of port.collections) if ((await port.count(collection)) > 0) return collection;
  return undefined;
}
