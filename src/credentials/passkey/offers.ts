import { type Clock, epochSeconds } from '../../kernel/clock.ts';
import type { CredentialStore } from '../../storage/ports.ts';

const KIND = 'passkey-offer';
const ID = 'offer';

/** When an account is offered a passkey after signing in; the answer belongs to the person, not to a browser. */
export interface Offers {
  /** Whether the operator wants any. */
  readonly enabled: boolean;
  isWelcome(accountId: string): Promise<boolean>;
  /** "Skip this step": not again for a while. */
  skip(accountId: string): Promise<void>;
  /** "Don't ask again". */
  stop(accountId: string): Promise<void>;
  /** Whatever was answered. */
  forget(accountId: string): Promise<void>;
}

/** @param againAfter seconds after which a skipped offer returns */
export function createOffers(deps: {
  store: CredentialStore;
  clock: Clock;
  enabled: boolean;
  againAfter: number;
}): Offers {
  const { store, clock, enabled, againAfter } = deps;

  const remember = async (accountId: string, data: string): Promise<void> => {
    const now = epochSeconds(clock);
    const answer = { accountId, kind: KIND, id: ID, data, version: 1, createdAt: now, updatedAt: now };
    if (await store.insert(answer)) return;
    const earlier = await store.find(accountId, KIND, ID);
    // Losing to another answer of the same person, given at the same moment, loses nothing.
    if (earlier) await store.replace({ ...answer, createdAt: earlier.createdAt }, earlier.version);
  };

  return {
    enabled,
    async isWelcome(accountId) {
      const answer = await store.find(accountId, KIND, ID);
      return answer === undefined || (answer.data !== 'never' && Number(answer.data) <= epochSeconds(clock));
    },
    skip: (accountId) => remember(accountId, String(epochSeconds(clock) + againAfter)),
    stop: (accountId) => remember(accountId, 'never'),
    async forget(accountId) {
      await store.remove(accountId, KIND, ID);
    },
  };
}
