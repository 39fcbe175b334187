import type { Config } from '../config/config.ts';
import type { TextValues } from '../i18n/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { epochSeconds } from '../kernel/clock.ts';
import type { Random } from '../kernel/random.ts';
import type { OutboxEntry } from '../storage/ports.ts';

export const NOTICE_EVENTS = [
  'passkey_added',
  'passkey_removed',
  'totp_added',
  'totp_removed',
  'recovery_code_used',
  'recovery_codes_renewed',
  'factors_reset',
  'password_changed',
  'new_device',
  'email_changed',
  'identity_linked',
  'identity_unlinked',
] as const;

/** Something that happened to an account; its words are `mail.notices.<event>.*`. */
export interface Notice {
  readonly event: (typeof NOTICE_EVENTS)[number];
  /** What the words want: `name` of a passkey, `left` codes, `device`, `provider`. */
  readonly values: TextValues;
}

/** A notice as the outbox keeps it. */
export interface OwedNotice extends Notice {
  readonly accountId: string;
  /** When it happened, milliseconds since the epoch. */
  readonly at: number;
  /** Where it goes instead of the account's own address. */
  readonly to?: string;
}

export interface Notices {
  /**
   * What is owed to the account's owner: put into the outbox by the transaction of what it tells of.
   * Empty where no mail server is configured.
   * @param to another address than the account's, such as the one it had before
   */
  about(accountId: string, notice: Notice, to?: string): readonly OutboxEntry[];
}

/** The outbox's name for what `about` makes. */
export const NOTICE = 'notice';

export function createNotices({
  mail,
  clock,
  random,
}: {
  mail: Config['mail'];
  clock: Clock;
  random: Random;
}): Notices {
  return {
    about(accountId, { event, values }, to) {
      if (!mail) return [];
      const payload = { accountId, event, values, at: clock.now(), ...(to === undefined ? {} : { to }) };
      return [{ id: random.id(), kind: NOTICE, payload, urgent: false, createdAt: epochSeconds(clock) }];
    },
  };
}

/** @throws TypeError when the payload was not made by `about` */
export function readNotice(payload: Readonly<Record<string, unknown>>): OwedNotice {
  const { accountId, event, values, at, to } = payload;
  if (
    typeof accountId !== 'string' ||
    !isEvent(event) ||
    !isTextValues(values) ||
    !Number.isSafeInteger(at) ||
    (to !== undefined && typeof to !== 'string')
  ) {
    throw new TypeError('not the payload of a notice');
  }
  return { accountId, event, values, at: at as number, ...(to === undefined ? {} : { to }) };
}

const isEvent = (value: unknown): value is Notice['event'] => (NOTICE_EVENTS as readonly unknown[]).includes(value);

const isTextValues = (value: unknown): value is TextValues =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every((one) => typeof one === 'string' || typeof one === 'number');
