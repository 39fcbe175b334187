import { OperatorError } from '../../kernel/errors.ts';
import type { TransferPort } from '../../storage/ports.ts';

/** How far a copy has come. */
export interface Position {
  /** The collection it was at; the first when absent. */
  readonly collection?: string;
  /** Key of the last row of it that was dealt with. */
  readonly after?: string;
  /** How many rows were dealt with, those of earlier collections included. */
  readonly rows: number;
}

export interface Marker {
  /** `place` of what is being copied. */
  readonly source: string;
  readonly at: Position;
}

const VERSION = 1;

/** @throws OperatorError when another version of this program made it */
export async function readMarker(target: TransferPort): Promise<Marker | undefined> {
  const text = await target.marker();
  if (text === undefined) return undefined;
  const { version, source, at } = JSON.parse(text);
  if (version !== VERSION)
    throw new OperatorError(
      `${target.place} holds an unfinished copy made by another version: empty it, or use that one.`,
    );
  return { source, at };
}

/** Kept at the target, so that it can be gone on with from anywhere. */
export const saveMarker = (target: TransferPort, source: string, at: Position): Promise<void> =>
  target.mark(JSON.stringify({ version: VERSION, source, at }));
