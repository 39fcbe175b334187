import { createHash } from 'node:crypto';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import { VestibuleError } from '../kernel/errors.ts';
import type { Random } from '../kernel/random.ts';
import type { Account, Artifact, ArtifactStore } from '../storage/ports.ts';

/** Bytes: nobody guesses one, so nothing about it has to be counted. */
const TOKEN = 32;
const DAY = 86_400;

/** What a link is for, and for how many seconds. */
const PURPOSES = {
  /** A newer one takes the place of those before it: only the last mail counts. */
  'new-password': { lifetime: 1800, supersedes: true },
  /** It can only sign out and ask for a link of the other kind, and is in mails that are read days later. */
  'not-me': { lifetime: 7 * DAY, supersedes: false },
  /** Never mailed: proves to the sign-in under way, in the same browser, that the password was chosen. */
  resume: { lifetime: 300, supersedes: true },
} as const;

export type Purpose = keyof typeof PURPOSES;

/** Minutes for which the link to a new password works. */
export const LINK_MINUTES = PURPOSES['new-password'].lifetime / 60;

export interface Link {
  readonly accountId: string;
  /** Of the account when the link was made: whoever signs out everywhere voids what leads in. */
  readonly generation: number;
  /** What the sign-in that it leads back to is known by. */
  readonly about: Readonly<Record<string, string>>;
}

/**
 * Links of mails. The token is stored as its hash alone, under its purpose: one made for one purpose is
 * none for another (security-catalogue: reset without proof, store confusion).
 */
export interface Links {
  /**
   * @param token where it was made before, so that a mail that is sent again has the same link
   * @returns token, base64url
   */
  issue(
    purpose: Purpose,
    account: Pick<Account, 'id' | 'generation'>,
    about?: Link['about'],
    token?: string,
  ): Promise<string>;
  /** 256 random bits, base64url. */
  newToken(): string;
  /**
   * Reads a link without using it up: mail scanners open links.
   * @throws VestibuleError `link_invalid`, `link_used`, `link_superseded`, `link_expired` (400)
   */
  read(purpose: Purpose, token: string): Promise<Link>;
  /** Uses it up, once. @throws as `read` does */
  redeem(purpose: Purpose, token: string): Promise<Link>;
  /** Makes every link void that leads to a new password of the account. */
  void(accountId: string): Promise<void>;
}

export function createLinks(deps: { store: ArtifactStore; clock: Clock; random: Random }): Links {
  const { store, clock, random } = deps;
  const kindOf = (purpose: Purpose) => `Link:${purpose}`;
  const keyOf = (purpose: Purpose, token: string) =>
    createHash('sha256').update(`${purpose} ${token}`).digest('base64url');

  const endOthers = (purpose: Purpose, accountId: string, exceptUid?: string): Promise<void> => {
    const at = epochSeconds(clock);
    return store.endByAccount(kindOf(purpose), accountId, { at, until: at + DAY, exceptUid });
  };

  const problemOf = (link: Artifact | undefined): string | undefined => {
    if (!link) return 'link_invalid';
    // Emptied when a newer one was made.
    if (typeof link.payload.validUntil !== 'number') return 'link_superseded';
    if (link.consumedAt !== undefined) return 'link_used';
    return link.payload.validUntil > epochSeconds(clock) ? undefined : 'link_expired';
  };

  const find = async (purpose: Purpose, token: string): Promise<Link> => {
    const isToken = /^[\w-]{43}$/.test(token);
    const link = isToken ? await store.find(kindOf(purpose), keyOf(purpose, token)) : undefined;
    const problem = problemOf(link);
    if (!link?.accountId || problem) throw new VestibuleError(problem ?? 'link_invalid', 400);
    return {
      accountId: link.accountId,
      generation: Number(link.payload.generation),
      about: (link.payload.about ?? {}) as Link['about'],
    };
  };
  const newToken = (): string => random.bytes(TOKEN).toString('base64url');

  return {
    newToken,

    async issue(purpose, { id: accountId, generation }, about = {}, token = newToken()) {
      const { lifetime, supersedes } = PURPOSES[purpose];
      const key = keyOf(purpose, token);
      if (supersedes) await endOthers(purpose, accountId, key);
      const validUntil = epochSeconds(clock) + lifetime;
      // Known for a day more, so that a late click is told that it is late.
      await store.save(kindOf(purpose), key, {
        payload: { about, generation, validUntil },
        accountId,
        uid: key,
        expiresAt: validUntil + DAY,
      });
      return token;
    },

    read: find,

    async redeem(purpose, token) {
      const link = await find(purpose, token);
      if (await store.consumeOnce(kindOf(purpose), keyOf(purpose, token), epochSeconds(clock))) return link;
      throw new VestibuleError('link_used', 400);
    },

    async void(accountId) {
      await Promise.all([endOthers('new-password', accountId), endOthers('resume', accountId)]);
    },
  };
}
