import { createHash } from 'node:crypto';
import { type Clock, epochSeconds } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import type { ArtifactStore } from '../../storage/ports.ts';

const KIND = 'PasskeyChallenge';
/** Bytes; WebAuthn Level 3 §13.4.3 asks for at least 16. */
const SIZE = 32;
/** Seconds a ceremony may take. */
export const CEREMONY_LIFETIME = 300;

/** What a challenge may be answered for; an answer to one is none to another. */
export type Ceremony = 'sign-in' | 'create' | 'create-automatically';

export interface Challenges {
  /**
   * @param binding what it belongs to: an interaction or a session
   * @param allowed credential ids the answer must come from; empty: any
   * @returns 32 random bytes, base64url, good for five minutes and one answer
   */
  issue(binding: string, ceremony: Ceremony, allowed?: readonly string[]): Promise<string>;
  /**
   * Uses a challenge up. Of simultaneous answers to one challenge, one gets it (replay).
   * @returns what it was issued for; undefined when it is none of ours, foreign, used or expired
   */
  redeem(
    challenge: string,
    binding: string,
    ceremonies: readonly Ceremony[],
  ): Promise<{ ceremony: Ceremony; allowed: readonly string[] } | undefined>;
}

export function createChallenges(deps: { store: ArtifactStore; clock: Clock; random: Random }): Challenges {
  const { store, clock, random } = deps;
  return {
    async issue(binding, ceremony, allowed = []) {
      const challenge = random.bytes(SIZE).toString('base64url');
      const expiresAt = epochSeconds(clock) + CEREMONY_LIFETIME;
      await store.save(KIND, keyOf(challenge), { payload: { binding, ceremony, allowed }, expiresAt });
      return challenge;
    },

    async redeem(challenge, binding, ceremonies) {
      const key = keyOf(challenge);
      const payload = (await store.find(KIND, key))?.payload as
        | { binding: string; ceremony: Ceremony; allowed: readonly string[] }
        | undefined;
      // Another's challenge is not used up by presenting it here.
      if (payload?.binding !== binding || !ceremonies.includes(payload.ceremony)) return undefined;
      return (await store.consumeOnce(KIND, key, epochSeconds(clock))) ? payload : undefined;
    },
  };
}

/** A copy of the database must not hold challenges that could still be answered. */
const keyOf = (challenge: string): string => createHash('sha256').update(challenge).digest('base64url');
