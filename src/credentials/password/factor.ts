import type { Config } from '../../config/config.ts';
import { epochSeconds } from '../../kernel/clock.ts';
import { VestibuleError } from '../../kernel/errors.ts';
import type { Credential, OutboxEntry } from '../../storage/ports.ts';
import type { Factor, Trail } from '../factor.ts';
import type { VerifyOutcome } from '../outcome.ts';
import type { CredentialServices } from '../services.ts';
import { Bcrypt } from './bcrypt.ts';
import { PasswordHashes } from './hashes.ts';
import { HashQueue, type QueueReadings } from './queue.ts';
import { isTooLong, PASSWORD_MAX_LENGTH } from './rules.ts';

const KIND = 'password';
/** An account has one password, so its credential has a fixed id. */
const ID = 'password';
const AMR = ['pwd'];

export interface PasswordFactor extends Factor {
  /** RFC 8176. */
  readonly amr: readonly string[];
  /**
   * @param accountId `undefined` for a username nobody has: costs the same time and fails
   * @throws VestibuleError when the proof could not be checked at all; nothing is granted then
   */
  verify(accountId: string | undefined, password: string): Promise<VerifyOutcome>;
  /**
   * Sets or replaces the password of an account. Whether it is a good one was asked before (`new-password.ts`).
   * @param trail called between the work and the change
   * @throws VestibuleError `password_too_long` (400), `busy` (503)
   */
  set(accountId: string, password: string, trail?: Trail): Promise<void>;
  /** Stores a hash made elsewhere (Argon2id PHC string or bcrypt): it is renewed at the next login. */
  setHash(accountId: string, hash: string): Promise<void>;
  readonly queue: QueueReadings;
  /** Waits for renewals under way. */
  close(): Promise<void>;
}

/** What setting and checking passwords needs; commands that know no other factor have no more. */
export type PasswordServices = Pick<CredentialServices, 'store' | 'clock' | 'random' | 'logger'> & {
  readonly config: Pick<Config, 'passwords'>;
  changed?(accountId: string): Promise<void>;
};

export function createPasswordFactor({
  store,
  clock,
  random,
  logger,
  config,
  changed,
}: PasswordServices): PasswordFactor {
  const settings = config.passwords;
  const bcrypt = new Bcrypt();
  const hashes = new PasswordHashes(settings, random, bcrypt);
  const queue = new HashQueue(settings.queue.concurrent, settings.queue.waiting);
  const renewals = new Set<Promise<void>>();

  const write = async (accountId: string, data: string, mails: readonly OutboxEntry[] = []): Promise<void> => {
    const now = epochSeconds(clock);
    const fresh: Credential = { accountId, kind: KIND, id: ID, data, version: 1, createdAt: now, updatedAt: now };
    // A renewal may come in between; a second try finds what it left.
    for (let tries = 0; tries < 3; tries += 1) {
      if (await store.insert(fresh, mails)) return;
      const current = await store.find(accountId, KIND, ID);
      if (current && (await store.replace({ ...current, data, updatedAt: now }, current.version, mails))) return;
    }
    throw new VestibuleError('changed_meanwhile', 409);
  };

  /** The password is known only now, at a successful login: the moment to bring its hash up to date. */
  const renew = async (credential: Credential, password: string): Promise<void> => {
    try {
      const data = await queue.run(() => hashes.hash(password));
      // Compare-and-set: a password changed meanwhile must not be overwritten with the old one.
      await store.replace({ ...credential, data, updatedAt: epochSeconds(clock) }, credential.version);
    } catch (error) {
      logger.warn({ event: 'password.renewal.failed', account: credential.accountId, err: error }, 'kept the old hash');
    }
  };

  const enrolled = async (accountId: string): Promise<boolean> => (await store.find(accountId, KIND, ID)) !== undefined;

  return {
    id: KIND,
    amr: AMR,
    attainable: AMR,
    enrolled,
    potential: async (_accountId, kept) => (kept.some(({ kind }) => kind === KIND) ? AMR : []),

    async verify(accountId, password) {
      if (password === '') return { proven: false, problem: 'password_required' };
      // Before any hashing: what can't be a password costs nothing (security-catalogue: hash flood).
      if (password.length > PASSWORD_MAX_LENGTH) return { proven: false, problem: 'password_too_long' };
      // The same look-up for a name nobody has.
      const credential = await store.find(accountId ?? 'nobody', KIND, ID);
      const proven = await queue.run(() => hashes.verify(password, credential?.data));
      if (!proven || !credential) return { proven: false, problem: 'wrong_password' };
      if (hashes.isOutdated(credential.data)) {
        const renewal = renew(credential, password).finally(() => renewals.delete(renewal));
        renewals.add(renewal);
      }
      return { proven: true };
    },

    async set(accountId, password, trail) {
      if (isTooLong(password, settings.hash)) throw new VestibuleError('password_too_long', 400);
      const data = await queue.run(() => hashes.hash(password));
      await write(accountId, data, await trail?.());
      await changed?.(accountId);
    },

    setHash: (accountId, hash) => write(accountId, hash),

    async remove(accountId, mails) {
      await store.remove(accountId, KIND, ID, mails);
    },

    get queue() {
      return queue.readings;
    },

    async close() {
      await Promise.all(renewals);
      await bcrypt.close();
    },
  };
}
