import { createHash } from 'node:crypto';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { ArtifactStore } from '../storage/ports.ts';

const KIND = 'PendingEnrolment';
/** Seconds to fetch the telephone, install an app and type a code. */
export const ENROLMENT_LIFETIME = 1800;

/** Secrets that are shown and not yet confirmed, sealed, for one interaction or session each. */
export interface Pending {
  keep(binding: string, secret: string): Promise<void>;
  find(binding: string): Promise<string | undefined>;
  /** @returns whether it was still there: true for one caller */
  drop(binding: string): Promise<boolean>;
}

/** @param purpose what it is for; a secret kept for one is not found for another */
export function createPending(deps: {
  store: ArtifactStore;
  secretBox: SecretBox;
  clock: Clock;
  purpose: string;
}): Pending {
  const { store, secretBox, clock, purpose } = deps;
  const keyOf = (binding: string) => createHash('sha256').update(`${purpose} ${binding}`).digest('base64url');
  return {
    keep: (binding, secret) =>
      store.save(KIND, keyOf(binding), {
        payload: { sealed: secretBox.seal(`pending ${purpose}`, secret) },
        expiresAt: epochSeconds(clock) + ENROLMENT_LIFETIME,
      }),
    async find(binding) {
      const kept = await store.find(KIND, keyOf(binding));
      if (!kept || kept.consumedAt !== undefined) return undefined;
      return secretBox.open(`pending ${purpose}`, String(kept.payload.sealed));
    },
    async drop(binding) {
      const dropped = await store.consumeOnce(KIND, keyOf(binding), epochSeconds(clock));
      // Used up is for ever: without it, nothing could be kept here again.
      if (dropped) await store.remove(KIND, keyOf(binding));
      return dropped;
    },
  };
}
