import type { Config } from '../config/config.ts';
import { chooseLocale, type Texts, type TextValues } from '../i18n/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Account } from '../storage/ports.ts';
import type { Mailer } from './mailer.ts';
import { compileMail } from './templates.ts';

/** Something that changed about an account; its words are `mail.notices.<event>.*`. */
export interface Notice {
  readonly event: 'passkey_added' | 'passkey_removed' | 'factors_reset';
  readonly values: TextValues;
}

export interface Notices {
  /**
   * Tells the account's owner by mail, in their language; without an address there is nobody to
   * tell. Resolves before the mail is sent: a slow mail server delays nobody's sign-in.
   */
  tell(accountId: string, notice: Notice): Promise<void>;
  /** Waits for mails under way. */
  close(): Promise<void>;
}

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
  const underWay = new Set<Promise<void>>();

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

  return {
    async tell(accountId, notice) {
      if (!mailer) return;
      const account = await accounts.find(accountId);
      if (!account?.email) return;
      const mail = write(account, notice);
      const sending = mailer
        .send(mail)
        .then(() => logger.info({ event: 'mail.sent', account: accountId, notice: notice.event }))
        .catch((error: unknown) =>
          logger.error({ event: 'mail.failed', account: accountId, notice: notice.event, err: error }),
        )
        .finally(() => underWay.delete(sending));
      underWay.add(sending);
    },
    async close() {
      await Promise.all(underWay);
      await mailer?.close();
    },
  };
}

const isTimeZone = (name: string): boolean => Intl.supportedValuesOf('timeZone').includes(name);
