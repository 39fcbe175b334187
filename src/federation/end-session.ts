import { createHash } from 'node:crypto';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Random } from '../kernel/random.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { ArtifactStore } from '../storage/ports.ts';
import { within } from './deadline.ts';
import { UpstreamError, upstreamError } from './errors.ts';
import type { UpstreamSignIn } from './sessions.ts';

const SIGN_OUT = 'UpstreamSignOut';
const PURPOSE = 'upstream sign-out';
/** Seconds: the provider may ask whether it is meant. */
const LIFETIME = 600;
/** Milliseconds that a sign-out here waits to learn where the provider's is. */
const PATIENCE = 3_000;

/** Where the browser goes next. */
export interface Leave {
  readonly address: string;
  /** What it comes back with, if that is the way to a provider. */
  readonly state?: string;
}

/**
 * Signing out at providers, once somebody was signed out here (OpenID Connect RP-Initiated Logout 1.0): from one to the
 * next, and in the end to where the sign-out here leads. Nothing of it delays or undoes the sign-out here.
 */
export interface UpstreamSignOuts {
  /**
   * @param next where it leads in the end: an address that was checked
   * @returns the way to the first provider that has one; else `next`
   */
  begin(signIns: readonly UpstreamSignIn[], next: string): Promise<Leave>;
  /**
   * Somebody is back. Each state is good for one way back from one provider; whether it is this browser's is the
   * caller's to know.
   * @returns undefined when nothing is known of it
   */
  returned(provider: string, state: string): Promise<Leave | undefined>;
}

/** What is kept of one under way, sealed: the portal's own state is in it. */
interface Kept {
  readonly provider: string;
  readonly others: readonly UpstreamSignIn[];
  readonly next: string;
}

/** @param deps.store the ephemeral artifacts */
export function createUpstreamSignOuts(deps: {
  federation: { endSession(provider: string, idTokenHint: string, state: string): Promise<string | undefined> };
  store: ArtifactStore;
  secretBox: SecretBox;
  clock: Clock;
  random: Random;
  logger: Logger;
}): UpstreamSignOuts {
  const { federation, store, secretBox, clock, random, logger } = deps;
  const keyOf = (state: string): string => createHash('sha256').update(state).digest('base64url');

  const addressAt = async (provider: string, idToken: string, state: string): Promise<string | undefined> => {
    try {
      return await within(PATIENCE, () => federation.endSession(provider, idToken, state));
    } catch (thrown) {
      const error = upstreamError('metadata', thrown);
      if (!(error instanceof UpstreamError)) throw error;
      logger.warn({ event: 'logout.upstream.failed', provider, reason: error.reason });
      return undefined;
    }
  };

  const begin = async (signIns: readonly UpstreamSignIn[], next: string): Promise<Leave> => {
    for (const [index, { provider, idToken }] of signIns.entries()) {
      const state = random.bytes(32).toString('hex');
      const address = idToken === undefined ? undefined : await addressAt(provider, idToken, state);
      if (address === undefined) continue;
      const kept: Kept = { provider, others: signIns.slice(index + 1), next };
      const payload = { sealed: secretBox.seal(PURPOSE, JSON.stringify(kept)) };
      await store.save(SIGN_OUT, keyOf(state), { payload, expiresAt: epochSeconds(clock) + LIFETIME });
      return { address, state };
    }
    return { address: next };
  };

  return {
    begin,

    async returned(provider, state) {
      const key = keyOf(state);
      const found = await store.find(SIGN_OUT, key);
      if (!found || found.consumedAt !== undefined) return undefined;
      const kept = JSON.parse(secretBox.open(PURPOSE, String(found.payload.sealed))) as Kept;
      if (kept.provider !== provider || !(await store.consumeOnce(SIGN_OUT, key, epochSeconds(clock))))
        return undefined;
      return begin(kept.others, kept.next);
    },
  };
}
