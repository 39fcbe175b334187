import type { Config } from '../../config/config.ts';
import { epochSeconds } from '../../kernel/clock.ts';
import { VestibuleError } from '../../kernel/errors.ts';
import type { Credential } from '../../storage/ports.ts';
import type { Factor } from '../factor.ts';
import type { VerifyOutcome } from '../outcome.ts';
import type { CredentialServices } from '../services.ts';
import { BCRYPT_MAX_BYTES, Bcrypt } from './bcrypt.ts';
import { PasswordHashes } from './hashes.ts';
import { HashQueue, type QueueReadings } from './queue.ts';

/** Characters. Long enough for any passphrase, short enough that nobody has a megabyte hashed. */
export const PASSWORD_MAX_LENGTH = 256;

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
   * Whether a new password keeps the rules.
   * @throws VestibuleError `password_too_short`, `password_too_long` (400)
   */
  check(password: string): void;
  /**
   * Sets or replaces the password of an account.
   * @throws VestibuleError `password_too_short`, `password_too_long` (400), `busy` (503)
   */
  set(accountId: string, password: string): Promise<void>;
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

  const write = async (accountId: string, data: string): Promise<void> => {
    const now = epochSeconds(clock);
    const fresh: Credential = { accountId, kind: KIND, id: ID, data, version: 1, createdAt: now, updatedAt: now };
    // A renewal may come in between; a second try finds what it left.
    for (let tries = 0; tries < 3; tries += 1) {
      if (await store.insert(fresh)) return;
      const current = await store.find(accountId, KIND, ID);
      if (current && (await store.replace({ ...current, data, updatedAt: now }, current.version))) return;
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

  const check = (password: string): void => {
    if ([...password].length < settings.min_length) throw new VestibuleError('password_too_short', 400);
    const tooLong =
      password.length > PASSWORD_MAX_LENGTH ||
      (settings.hash === 'bcrypt' && Buffer.byteLength(password) > BCRYPT_MAX_BYTES);
    if (tooLong) throw new VestibuleError('password_too_long', 400);
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

    check,

    async set(accountId, password) {
      check(password);
      await write(accountId, await queue.run(() => hashes.hash(password)));
      await changed?.(accountId);
    },

    setHash: (accountId, hash) => write(accountId, hash),

    async remove(accountId) {
      await store.remove(accountId, KIND, ID);
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
