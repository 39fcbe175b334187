import { epochSeconds } from '../../kernel/clock.ts';
import type { Credential, OutboxEntry } from '../../storage/ports.ts';
import type { Factor } from '../factor.ts';
import { createPending } from '../pending.ts';
import type { SecondFactor, SecondOutcome } from '../second-factor.ts';
import type { CredentialServices } from '../services.ts';
import { createThrottle } from '../throttle.ts';

const KIND = 'recovery-codes';
const ID = 'recovery-codes';
/** A code is one of a list that was kept: a one-time password (RFC 8176 `otp`). */
const AMR = ['otp'];
const HOW_MANY = 10;
/** With this many left, a new list is offered. */
export const FEW_RECOVERY_CODES = 3;
/** Characters of five bits each: 75 bits. */
const LENGTH = 15;
const GROUP = 5;
/** Crockford's base 32: no letters that are misread on paper. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** Tries of a compare-and-set; as many as somebody could use up at once. */
const TRIES = HOW_MANY + 1;

export interface RecoveryCodes extends Factor, SecondFactor {
  /** @param told what is owed when the code is right; gets how many are left then */
  verify(accountId: string, code: string, told?: (left: number) => readonly OutboxEntry[]): Promise<SecondOutcome>;
  /**
   * Makes a new list; the old one is dead. It can be read again with `shown` until it is confirmed.
   * @returns ten codes such as `7K3QF-0XW2M-4TB9Z`
   */
  renew(binding: string, accountId: string, mails?: readonly OutboxEntry[]): Promise<readonly string[]>;
  /** The list made in this interaction or session, while it is still on show. */
  shown(binding: string): Promise<readonly string[] | undefined>;
  /** The person keeps them now: shown once, never again. */
  kept(binding: string): Promise<void>;
  /** How many are left; 0 without a list. */
  left(accountId: string): Promise<number>;
  /** For people who come with a list from elsewhere. */
  set(accountId: string, codes: readonly string[]): Promise<void>;
}

export function createRecoveryCodes(services: CredentialServices): RecoveryCodes {
  const { store, challenges, clock, random, secretBox } = services;
  const throttle = createThrottle({ store, clock, factor: KIND });
  const pending = createPending({ store: challenges, secretBox, clock, purpose: KIND });

  const purposeOf = (accountId: string) => `recovery code ${accountId}`;
  const find = (accountId: string) => store.find(accountId, KIND, ID);
  const read = (credential: Credential | undefined): string[] => (credential ? JSON.parse(credential.data) : []);

  const set = async (
    accountId: string,
    codes: readonly string[],
    mails: readonly OutboxEntry[] = [],
  ): Promise<void> => {
    const now = epochSeconds(clock);
    const hashes = codes.map((code) => secretBox.hash(purposeOf(accountId), normalise(code)));
    const fresh: Credential = {
      accountId,
      kind: KIND,
      id: ID,
      data: JSON.stringify(hashes),
      version: 1,
      createdAt: now,
      updatedAt: now,
    };
    // The newest list counts: whoever else is writing is overwritten, or has overwritten this one.
    for (let tries = 0; tries < TRIES; tries += 1) {
      if (await store.insert(fresh, mails)) return;
      const current = await find(accountId);
      if (current && (await store.replace({ ...fresh, version: current.version }, current.version, mails))) return;
    }
  };

  return {
    id: KIND,
    attainable: AMR,
    amr: AMR,
    enrolled: async (accountId) => read(await find(accountId)).length > 0,
    potential: async (_accountId, kept) => (read(kept.find(({ kind }) => kind === KIND)).length > 0 ? AMR : []),
    left: async (accountId) => read(await find(accountId)).length,
    set,

    async verify(accountId, typed, told) {
      const code = normalise(typed);
      if (code.length !== LENGTH)
        return { proven: false, problem: code === '' ? 'recovery_code_required' : 'recovery_code_malformed' };
      const blocked = await throttle.take(accountId);
      if (blocked) return { proven: false, problem: 'factor_blocked', blockedFor: blocked.blockedFor };
      for (let tries = 0; tries < TRIES; tries += 1) {
        const credential = await find(accountId);
        const hashes = read(credential);
        const used = hashes.find((hash) => secretBox.matches(purposeOf(accountId), code, hash));
        if (!credential || used === undefined) return { proven: false, problem: 'recovery_code_wrong' };
        // Taken off the list by compare-and-set: a code works once, in parallel too.
        const rest = hashes.filter((hash) => hash !== used);
        const after = { ...credential, data: JSON.stringify(rest), updatedAt: epochSeconds(clock) };
        if (await store.replace(after, credential.version, told?.(rest.length))) {
          await throttle.forget(accountId);
          return { proven: true };
        }
      }
      return { proven: false, problem: 'recovery_code_wrong' };
    },

    async renew(binding, accountId, mails) {
      const codes = Array.from({ length: HOW_MANY }, () => {
        const letters = Array.from(random.bytes(LENGTH), (byte) => ALPHABET[byte % 32]).join('');
        return (letters.match(new RegExp(`.{${GROUP}}`, 'g')) ?? []).join('-');
      });
      await Promise.all([set(accountId, codes, mails), pending.keep(binding, JSON.stringify(codes))]);
      return codes;
    },

    async shown(binding) {
      const codes = await pending.find(binding);
      return codes === undefined ? undefined : (JSON.parse(codes) as string[]);
    },

    async kept(binding) {
      await pending.drop(binding);
    },

    async remove(accountId, mails) {
      await Promise.all([store.remove(accountId, KIND, ID, mails), throttle.forget(accountId)]);
    },
  };
}

/** Lower case, other separators or none, and the letters that look like digits: read as meant. */
const normalise = (typed: string): string =>
  typed
    .slice(0, 100)
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, '')
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1');
