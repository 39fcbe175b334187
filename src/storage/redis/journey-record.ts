import type { JourneyRecord } from '../ports.ts';
import { STAMP_WIDTH, stamp } from './lifetime.ts';

/** A journey as one string: until, version, then its state as JSON, as `saveJourney` of `scripts.ts` puts them together. */
export const recordOf = ({ state, version, expiresAt }: JourneyRecord): string =>
  stamp(expiresAt) + stamp(version) + JSON.stringify(state);

/** @returns undefined when it doesn't count any more */
export function journeyOf(uid: string, record: string | null, now: number): JourneyRecord | undefined {
  if (record === null) return undefined;
  const expiresAt = Number(record.slice(0, STAMP_WIDTH));
  if (!(expiresAt > now)) return undefined;
  const version = Number(record.slice(STAMP_WIDTH, 2 * STAMP_WIDTH));
  return { uid, state: JSON.parse(record.slice(2 * STAMP_WIDTH)), version, expiresAt };
}
