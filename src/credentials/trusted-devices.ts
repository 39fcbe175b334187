import { createHash } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import type { CredentialStore } from '../storage/ports.ts';

const KIND = 'trusted-device';

export interface TrustedDevice {
  readonly id: string;
  /** What the browser called itself. */
  readonly name: string;
  /** Seconds since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

/**
 * Browsers in which an account is not asked for its second factor: "Don't ask on this device". Bound to
 * both; what it stands for is never claimed to have been performed.
 */
export interface TrustedDevices {
  /** Seconds; undefined where the operator wants none. */
  readonly lifetime: number | undefined;
  /**
   * @param id random, made for this and known to that browser alone
   * @param earlier ids the browser held before: those of this account are void, it has a new one
   */
  trust(accountId: string, id: string, name: string, earlier: readonly string[]): Promise<void>;
  /** @param browser the ids in its cookie, with dots between them */
  isTrusted(accountId: string, browser: string | undefined): Promise<boolean>;
  list(accountId: string): Promise<TrustedDevice[]>;
  revoke(accountId: string, id: string): Promise<void>;
  /** After a change of password or factors: whoever made the change may not be who was trusted. */
  forgetAll(accountId: string): Promise<void>;
}

export function createTrustedDevices(deps: {
  store: CredentialStore;
  clock: Clock;
  settings: Config['trusted_devices'];
}): TrustedDevices {
  const { store, clock, settings } = deps;
  const lifetime = settings.enabled ? settings.lifetime : undefined;
  /** A copy of the database must not hold what opens anything. */
  const idOf = (random: string) => createHash('sha256').update(random).digest('base64url');

  const kept = async (accountId: string): Promise<TrustedDevice[]> =>
    (await store.list(accountId, KIND)).map(({ id, data, createdAt }) => ({
      id,
      createdAt,
      ...(JSON.parse(data) as { name: string; expiresAt: number }),
    }));
  const isOver = ({ expiresAt }: TrustedDevice): boolean => expiresAt <= epochSeconds(clock);
  const list = async (accountId: string): Promise<TrustedDevice[]> =>
    (await kept(accountId)).filter((device) => !isOver(device));
  const remove = (accountId: string, ids: readonly string[]): Promise<unknown> =>
    Promise.all(ids.map((id) => store.remove(accountId, KIND, id)));

  return {
    lifetime,
    list,

    async trust(accountId, id, name, earlier) {
      if (lifetime === undefined) return;
      const now = epochSeconds(clock);
      const data = JSON.stringify({ name, expiresAt: now + lifetime });
      await store.insert({ accountId, kind: KIND, id: idOf(id), data, version: 1, createdAt: now, updatedAt: now });
      const over = (await kept(accountId)).filter(isOver).map((device) => device.id);
      await remove(accountId, [...earlier.map(idOf), ...over]);
    },

    async isTrusted(accountId, browser) {
      if (lifetime === undefined || browser === undefined) return false;
      const ids = browser.split('.').map(idOf);
      return (await list(accountId)).some(({ id }) => ids.includes(id));
    },

    async revoke(accountId, id) {
      await remove(accountId, [id]);
    },

    async forgetAll(accountId) {
      const all = await kept(accountId);
      await remove(
        accountId,
        all.map(({ id }) => id),
      );
    },
  };
}
