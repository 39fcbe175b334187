import { epochSeconds } from '../../kernel/clock.ts';
import { VestibuleError } from '../../kernel/errors.ts';
import type { Credential, OutboxEntry } from '../../storage/ports.ts';
import type { Factor, Trail } from '../factor.ts';
import { createPending } from '../pending.ts';
import type { SecondFactor, SecondOutcome } from '../second-factor.ts';
import type { CredentialServices } from '../services.ts';
import { createThrottle } from '../throttle.ts';
import { otpauth, type Parameters, readCode, stepOf, toSecret } from './codes.ts';

const KIND = 'totp';
/** An account has one app; a new one replaces it. */
const ID = 'totp';
const AMR = ['otp'];
/** Bytes. */
const SECRET = 20;

interface Stored extends Parameters {
  /** The secret, base32, sealed. */
  readonly seed: string;
  /** Step of the last code accepted: it and those before are used up (RFC 6238 §5.2). */
  readonly lastStep: number;
}

/** What an app is set up with: read from the QR code, typed, or opened on the same telephone. */
export interface Setup {
  /** Base32. */
  readonly secret: string;
  /** `otpauth:` address. */
  readonly uri: string;
}

export interface TotpFactor extends Factor, SecondFactor {
  /** The key to set an app up with; the same until it is confirmed or half an hour has passed. */
  begin(binding: string, label: string): Promise<Setup>;
  /**
   * Turns it on, or replaces the app that was on, once the new app's first code is right.
   * @param mayReplace whether enough was proven to replace an app that somebody else may have set up meanwhile
   * @returns `changed_meanwhile` when there is one by now that may not be replaced
   */
  enrol(binding: string, accountId: string, code: string, mayReplace: boolean, record: Trail): Promise<SecondOutcome>;
  /** For people who come with an app from elsewhere. @param secret base32 */
  setSecret(accountId: string, secret: string): Promise<void>;
  /** Seconds since the epoch; undefined when it is off. */
  since(accountId: string): Promise<number | undefined>;
}

export function createTotpFactor(services: CredentialServices): TotpFactor {
  const { store, challenges, clock, random, secretBox, config, changed } = services;
  const parameters: Parameters = config.totp;
  const throttle = createThrottle({ store, clock, factor: KIND });
  const pending = createPending({ store: challenges, secretBox, clock, purpose: 'totp' });
  const sealFor = (accountId: string) => `totp ${accountId}`;

  const find = (accountId: string) => store.find(accountId, KIND, ID);
  const read = ({ data }: Credential): Stored => JSON.parse(data) as Stored;

  const write = async (
    accountId: string,
    secret: string,
    lastStep: number,
    mayReplace = true,
    mails: readonly OutboxEntry[] = [],
  ): Promise<void> => {
    const now = epochSeconds(clock);
    const stored: Stored = { ...parameters, seed: secretBox.seal(sealFor(accountId), secret), lastStep };
    const fresh: Credential = {
      accountId,
      kind: KIND,
      id: ID,
      data: JSON.stringify(stored),
      version: 1,
      createdAt: now,
      updatedAt: now,
    };
    for (let tries = 0; tries < 3; tries += 1) {
      if (await store.insert(fresh, mails)) return;
      if (!mayReplace) break;
      const current = await find(accountId);
      if (current && (await store.replace({ ...fresh, version: current.version }, current.version, mails))) return;
    }
    throw new VestibuleError('changed_meanwhile', 409);
  };

  return {
    id: KIND,
    attainable: AMR,
    amr: AMR,
    enrolled: async (accountId) => (await find(accountId)) !== undefined,
    potential: async (_accountId, kept) => (kept.some(({ kind }) => kind === KIND) ? AMR : []),
    since: async (accountId) => (await find(accountId))?.createdAt,

    async verify(accountId, typed) {
      const code = readCode(typed);
      if (code === undefined)
        return { proven: false, problem: typed.trim() === '' ? 'totp_required' : 'totp_malformed' };
      const blocked = await throttle.take(accountId);
      if (blocked) return { proven: false, problem: 'factor_blocked', blockedFor: blocked.blockedFor };
      const credential = await find(accountId);
      if (!credential) return { proven: false, problem: 'totp_wrong' };
      const stored = read(credential);
      const secret = secretBox.open(sealFor(accountId), stored.seed);
      const step = await stepOf(code, secret, stored, epochSeconds(clock));
      if (step === undefined) return { proven: false, problem: 'totp_wrong' };
      if (step <= stored.lastStep) return { proven: false, problem: 'totp_used' };
      // Compare-and-set: of the same code in two browsers at once, one is accepted (security-catalogue: TOTP replay).
      const data = JSON.stringify({ ...stored, lastStep: step } satisfies Stored);
      const accepted = await store.replace({ ...credential, data, updatedAt: epochSeconds(clock) }, credential.version);
      if (!accepted) return { proven: false, problem: 'totp_used' };
      await throttle.forget(accountId);
      return { proven: true };
    },

    async begin(binding, label) {
      const secret = (await pending.find(binding)) ?? (await toSecret(random.bytes(SECRET)));
      await pending.keep(binding, secret);
      return { secret, uri: await otpauth(secret, parameters, config.branding.name, label) };
    },

    async enrol(binding, accountId, typed, mayReplace, record) {
      const code = readCode(typed);
      if (code === undefined)
        return { proven: false, problem: typed.trim() === '' ? 'totp_required' : 'totp_malformed' };
      const secret = await pending.find(binding);
      if (secret === undefined) return { proven: false, problem: 'enrolment_expired' };
      const step = await stepOf(code, secret, parameters, epochSeconds(clock));
      if (step === undefined) return { proven: false, problem: 'totp_wrong_app' };
      // Confirmed once: a second click finds it done.
      if (!(await pending.drop(binding))) return { proven: false, problem: 'enrolment_expired' };
      if (!mayReplace && (await find(accountId))) return { proven: false, problem: 'changed_meanwhile' };
      await write(accountId, secret, step, mayReplace, await record());
      await Promise.all([throttle.forget(accountId), changed(accountId)]);
      return { proven: true };
    },

    setSecret: (accountId, secret) => write(accountId, secret, 0),

    async remove(accountId, mails) {
      await Promise.all([store.remove(accountId, KIND, ID, mails), throttle.forget(accountId), changed(accountId)]);
    },
  };
}
