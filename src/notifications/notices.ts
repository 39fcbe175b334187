import { setTimeout } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { chooseLocale, type Texts, type TextValues } from '../i18n/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Account } from '../storage/ports.ts';
import type { Mailer } from './mailer.ts';
import { compileMail } from './templates.ts';

/** Something that changed about an account; its words are `mail.notices.<event>.*`. */
export interface Notice {
  readonly event:
    | 'passkey_added'
    | 'passkey_removed'
    | 'totp_added'
    | 'totp_removed'
    | 'recovery_code_used'
    | 'recovery_codes_renewed'
    | 'factors_reset';
  readonly values: TextValues;
}

export interface Notices {
  /**
   * Tells the account's owner by mail, in their language. Nobody has to wait for it, as a slow mail
   * server must not delay a sign-in; it never rejects, as what it tells of has happened already.
   * @returns `nobody` without an address or a mail server, `failed` when the mail was not taken
   */
  tell(accountId: string, notice: Notice): Promise<'told' | 'nobody' | 'failed'>;
  /** Waits for mails under way, for ten seconds at most. */
  close(): Promise<void>;
}

/** Milliseconds. */
const CLOSED_WITHIN = 10_000;

export function createNotices(deps: {
  config: Config;
  accounts: { find(id: string): Promise<Account | undefined> };
  mailer: Mailer | undefined;
  texts: Texts;
  clock: Clock;
  logger: Logger;
}): Notices {
  const { config, accounts, mailer, texts, clock, logger } = deps;
  const { languages, branding } = config;
  const template = compileMail('notice', branding.overlay);
  const underWay = new Set<Promise<unknown>>();

  const write = ({ email = '', username, profile }: Account, { event, values }: Notice) => {
    const { language, locale } = chooseLocale({ chosen: profile.locale }, languages.offered, languages.default);
    const t = texts.translator(language, locale);
    const subject = t(`mail.notices.${event}.subject`, { ...values, brand: branding.name });
    const locals = {
      t,
      brand: branding.name,
      language: locale,
      person: profile.name ?? username,
      subject,
      sentence: t(`mail.notices.${event}.sentence`, { ...values, brand: branding.name, username }),
      when: new Intl.DateTimeFormat(locale, {
        dateStyle: 'long',
        timeStyle: 'long',
        timeZone: profile.zoneinfo && isTimeZone(profile.zoneinfo) ? profile.zoneinfo : 'UTC',
      }).format(clock.now()),
    };
    return { to: email, subject, text: template.text(locals), html: template.html(locals) };
  };

  const send = async (accountId: string, notice: Notice): Promise<'told' | 'nobody' | 'failed'> => {
    try {
      if (!mailer) return 'nobody';
      const account = await accounts.find(accountId);
      if (!account?.email) return 'nobody';
      await mailer.send(write(account, notice));
      logger.info({ event: 'mail.sent', account: accountId, notice: notice.event });
      return 'told';
    } catch (error) {
      logger.error({ event: 'mail.failed', account: accountId, notice: notice.event, err: error });
      return 'failed';
    }
  };

  return {
    tell(accountId, notice) {
      const sending = send(accountId, notice).finally(() => underWay.delete(sending));
      underWay.add(sending);
      return sending;
    },
    async close() {
      const deadline = new AbortController();
      const tooLate = setTimeout(CLOSED_WITHIN, undefined, { signal: deadline.signal }).catch(() => undefined);
      await Promise.race([Promise.all(underWay), tooLate]);
      deadline.abort();
      await mailer?.close();
    },
  };
}

const isTimeZone = (name: string): boolean => Intl.supportedValuesOf('timeZone').includes(name);
