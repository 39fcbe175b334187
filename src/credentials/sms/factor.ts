import { createHash } from 'node:crypto';
import { epochSeconds } from '../../kernel/clock.ts';
import { VestibuleError } from '../../kernel/errors.ts';
import type { Account } from '../../storage/ports.ts';
import type { Factor } from '../factor.ts';
import type { SecondFactor, SecondOutcome } from '../second-factor.ts';
import type { CredentialServices } from '../services.ts';
import { createThrottle } from '../throttle.ts';

const ID = 'sms';
const KIND = 'SmsCode';
const AMR = ['sms'];
/** Seconds a code is good for. */
const LIFETIME = 300;
/** Wrong codes for one message. */
const TRIES = 5;
const DAY = 86_400;
/** Seconds before another message may be asked for: they take their time. */
const PATIENCE = 30;

/** The message that is on its way, as a page may speak of it. */
export interface Sending {
  /** The last two digits of the number; nobody learns more of it here. */
  readonly ending: string;
}

export interface SmsFactor extends Factor, Omit<SecondFactor, 'verify'> {
  /**
   * Sends a code unless one is on its way.
   * @param binding interaction it is for
   * @param again the person asks for another: the last one is dead then
   * @throws VestibuleError `sms_limit` (429) after too many to that number today, `sms_failed` (503)
   */
  send(binding: string, accountId: string, again: boolean): Promise<Sending>;
  /** Where messages go, without sending one. */
  where(accountId: string): Promise<Sending | undefined>;
  verify(binding: string, accountId: string, code: string): Promise<SecondOutcome>;
}

export function createSmsFactor(
  services: CredentialServices & {
    /** Once it is enrolled, no message is sent. */
    readonly replacedBy: Factor;
  },
): SmsFactor {
  const { accounts, challenges, counters, clock, random, secretBox, store, sendCode, replacedBy, logger } = services;
  const perDay = services.config.sms?.per_day ?? 0;
  const throttle = createThrottle({ store, clock, factor: ID });
  const keyOf = (binding: string) => createHash('sha256').update(binding).digest('base64url');

  /** The number codes go to; undefined where there is none, none confirmed, or an app in its place. */
  const numberOf = async (accountId: string): Promise<{ account: Account; number: string } | undefined> => {
    const account = sendCode && (await accounts.find(accountId));
    const { phone_number: number, phone_number_verified: confirmed } = account?.profile ?? {};
    if (!account || !number || !confirmed || (await replacedBy.enrolled(accountId))) return undefined;
    return { account, number };
  };

  const enrolled = async (accountId: string) => (await numberOf(accountId)) !== undefined;

  return {
    id: ID,
    attainable: sendCode ? AMR : [],
    amr: AMR,
    enrolled,
    potential: async (accountId) => ((await enrolled(accountId)) ? AMR : []),

    async send(binding, accountId, again) {
      const to = await numberOf(accountId);
      if (!to || !sendCode) throw new VestibuleError('session_expired', 400);
      const sending = sendingTo(to.number);
      const key = keyOf(binding);
      const earlier = await challenges.find(KIND, key);
      const now = epochSeconds(clock);
      const isRecent = earlier !== undefined && now - Number(earlier.payload.sentAt) < PATIENCE;
      if (earlier && (!again || isRecent)) return sending;

      const counter = { key: `sms:${secretBox.keyedHash('counter', to.number)}`, windowSeconds: DAY };
      const [sent] = await counters.increment([counter]);
      if (!sent || sent.count > perDay)
        throw new VestibuleError('sms_limit', 429, { retryAfter: Math.max(1, (sent?.resetsAt ?? now) - now) });
      const code = String(random.bytes(6).readUIntBE(0, 6) % 1_000_000).padStart(6, '0');
      const payload = { hash: secretBox.hash('sms code', `${key} ${code}`), accountId, sentAt: now };
      await challenges.save(KIND, key, { payload, expiresAt: now + LIFETIME });
      try {
        await sendCode(to.account, to.number, code);
      } catch (error) {
        // Without a message there is nothing to type: the next visit of the page tries again.
        await Promise.all([challenges.remove(KIND, key), counters.decrement([counter.key])]);
        logger.error({ event: 'sms.failed', account: accountId, err: error });
        throw new VestibuleError('sms_failed', 503, { cause: error, retryAfter: PATIENCE });
      }
      return sending;
    },

    async where(accountId) {
      const to = await numberOf(accountId);
      return to && sendingTo(to.number);
    },

    async verify(binding, accountId, typed) {
      const code = typed.normalize('NFKC').replace(/[\s\p{Pd}]/gu, '');
      if (!/^\d{6}$/.test(code)) return { proven: false, problem: code === '' ? 'totp_required' : 'totp_malformed' };
      const blocked = await throttle.take(accountId);
      if (blocked) return { proven: false, problem: 'factor_blocked', blockedFor: blocked.blockedFor };
      const key = keyOf(binding);
      const [issued, isStillAWay] = await Promise.all([challenges.find(KIND, key), enrolled(accountId)]);
      // Sent before an app took its place: no way around the app.
      if (!isStillAWay || !issued || issued.payload.accountId !== accountId || issued.consumedAt !== undefined)
        return { proven: false, problem: 'sms_expired' };
      const tries = { key: `sms:tries:${key}:${issued.payload.sentAt}`, windowSeconds: LIFETIME };
      const [reading] = await counters.increment([tries]);
      if (!reading || reading.count > TRIES) return { proven: false, problem: 'sms_expired' };
      if (!secretBox.matches('sms code', `${key} ${code}`, String(issued.payload.hash)))
        return { proven: false, problem: 'sms_wrong' };
      // Single use, in parallel too.
      if (!(await challenges.consumeOnce(KIND, key, epochSeconds(clock))))
        return { proven: false, problem: 'sms_expired' };
      await throttle.forget(accountId);
      return { proven: true };
    },

    /** The number belongs to the profile; without it no message is sent. */
    remove: (accountId) => throttle.forget(accountId),
  };
}

const sendingTo = (number: string): Sending => ({ ending: number.slice(-2) });
