import type { StoredKey } from '../storage/ports.ts';

/**
 * Seconds that a new key is published before it is used: nobody keeps a key set for longer. So no portal meets a
 * signature before it can have the key to it, not even one that never asks for a key it doesn't know.
 */
export const ANNOUNCED = 86_400;

/**
 * - `announced`: published, so that everybody knows it by the time it is used
 * - `current`: signs (encryption keys: is what others encrypt to)
 * - `retired`: published still, for what was made with it
 * - `ended`: nobody needs it any more; not published
 */
export type Standing = 'announced' | 'current' | 'retired' | 'ended';

export interface StandingKey {
  readonly key: StoredKey;
  readonly standing: Standing;
  /** When the next standing begins, seconds since the epoch; absent while nothing is to change. */
  readonly until?: number;
}

/**
 * What each key is at a moment, the current one first of its algorithm. It follows from the clock and from what is
 * stored since the rotation began: nodes whose clocks agree change over together, without telling each other and
 * although one of them can't reach the storage just then.
 *
 * @param stored of an algorithm one at position 0 and, while a rotation is under way, its successor at position 1
 * @param now seconds since the epoch
 * @param retention seconds that what was made with a key may be presented
 */
export function standings(stored: readonly StoredKey[], now: number, retention: number): StandingKey[] {
  const algorithms = [...new Set(stored.map(({ alg }) => alg))];
  return algorithms.flatMap((alg) => ofOneAlgorithm(byPosition(stored, alg), now, retention));
}

/** Keys that are published, the current one first of its algorithm. */
export const inUse = (stored: readonly StoredKey[], now: number, retention: number): StoredKey[] =>
  standings(stored, now, retention)
    .filter(({ standing }) => standing !== 'ended')
    .map(({ key }) => key);

function ofOneAlgorithm([first, heir, ...others]: readonly StoredKey[], now: number, retention: number): StandingKey[] {
  if (!first) return [];
  if (!heir) return [{ key: first, standing: 'current' }];
  const from = heir.createdAt + ANNOUNCED;
  const end = from + retention;
  const leave = (key: StoredKey): StandingKey =>
    now < end ? { key, standing: 'retired', until: end } : { key, standing: 'ended' };
  if (now >= from) return [{ key: heir, standing: 'current' }, leave(first), ...others.map(leave)];
  return [
    { key: first, standing: 'current', until: from },
    { key: heir, standing: 'announced', until: from },
    ...others.map(leave),
  ];
}

const byPosition = (stored: readonly StoredKey[], wanted: string): StoredKey[] =>
  stored.filter(({ alg }) => alg === wanted).toSorted((one, other) => one.position - other.position);
