import type { KeyStore, StoredKey } from '../storage/ports.ts';
import { type StandingKey, standings } from './rotation.ts';

/**
 * Seconds that a key is kept after it has ended. Whoever tidies up judges by a clock of its own, and one that is hours
 * ahead must not take the key away that all others sign with.
 */
const KEPT_ON = 86_400;

/** Others rotate or tidy up at the same moment; none does so twice in a row. */
const TRIES = 5;

/** One rotation at a time: a third key beside the two would have to be explained to everybody. */
export class RotationUnderWay extends Error {
  /** When another one may begin, seconds since the epoch. */
  readonly until: number;

  constructor(until: number) {
    super('a rotation is under way');
    this.until = until;
  }
}

/**
 * Puts new keys beside those in use, to take their place after they were announced; or instead of them, at once, when
 * one of them is known to somebody else.
 *
 * At once is so in the store alone. Other nodes sign with the old key until they look (`watch.ts`); whoever keeps a
 * published key set, up to `ANNOUNCED` seconds, accepts what was signed with the old key until it fetches the set
 * again, and encrypts to an old key that nobody can open with any more.
 *
 * @param fresh new keys, one for each algorithm
 * @returns what each of all keys is now
 * @throws RotationUnderWay; VestibuleError `storage.unavailable`
 */
export async function rotate(
  store: KeyStore,
  fresh: readonly StoredKey[],
  when: { readonly now: number; readonly retention: number; readonly atOnce: boolean },
): Promise<StandingKey[]> {
  const { now, retention, atOnce } = when;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const stored = await store.list();
    const wanted = atOnce ? at(0, fresh) : [...at(0, remaining(stored, now, retention)), ...at(1, fresh)];
    if (await store.replaceAll(wanted, stored)) return standings(wanted, now, retention);
  }
  throw new Error('the keys change all the time');
}

/**
 * Removes keys that have ended a day ago, private parts and all, and gives their place to their successors. Harmless to all who
 * read: nothing that is published changes.
 *
 * @returns how many were removed
 */
export async function forgetEnded(
  store: KeyStore,
  stored: readonly StoredKey[],
  when: { readonly now: number; readonly retention: number },
): Promise<number> {
  const all = standings(stored, when.now - KEPT_ON, when.retention);
  const left = all.filter(({ standing }) => standing !== 'ended');
  if (left.length === all.length) return 0;
  const isAlone = ({ key }: StandingKey) => left.filter((other) => other.key.alg === key.alg).length === 1;
  const wanted = left.map((one) => (isAlone(one) ? { ...one.key, position: 0 } : one.key));
  // Another node was faster otherwise.
  return (await store.replaceAll(wanted, stored)) ? all.length - left.length : 0;
}

/** @throws RotationUnderWay */
function remaining(stored: readonly StoredKey[], now: number, retention: number): StoredKey[] {
  const all = standings(stored, now, retention);
  const busy = all.filter(({ standing }) => standing === 'announced' || standing === 'retired');
  if (busy.length > 0) {
    // An announced key still has to take over and the one before it to end.
    throw new RotationUnderWay(
      Math.max(...busy.map(({ standing, until = 0 }) => (standing === 'announced' ? until + retention : until))),
    );
  }
  return all.filter(({ standing }) => standing === 'current').map(({ key }) => key);
}

const at = (position: number, keys: readonly StoredKey[]): StoredKey[] => keys.map((key) => ({ ...key, position }));
