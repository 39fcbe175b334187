import type { Config } from '../config/config.ts';
import { chooseLocale, formatWait, type Texts, type TextValues, type Translate } from '../i18n/index.ts';
import type { Account } from '../storage/ports.ts';
import { buttonColours } from './colours.ts';
import type { Mail } from './mailer.ts';
import type { OwedNotice } from './notices.ts';
import { compileMails, type MailTemplates } from './templates.ts';

/** What each mail says, from what is handed in alone. */
export interface Letters {
  /**
   * That something happened to an account.
   * @param notMe link to "this wasn't me"; without one, advice stands in its place
   * @param to another address than the account's
   */
  notice(
    account: Account,
    notice: Pick<OwedNotice, 'event' | 'values' | 'at'>,
    notMe: string | undefined,
    to?: string,
  ): Mail;
  /** The link that lets somebody choose a new password. */
  recovery(account: Account, about: RecoveryLetter): Mail;
  /** Which usernames belong to the address. */
  usernames(to: string, about: UsernamesLetter): Mail;
}

export interface RecoveryLetter {
  readonly link: string;
  /** The portal it was asked for at. */
  readonly portal?: string | undefined;
  /** How long the link works. */
  readonly minutes: number;
  /** In which it was asked for; the person's own goes first. */
  readonly language?: string | undefined;
}

export interface UsernamesLetter {
  /** At least one. */
  readonly usernames: readonly string[];
  readonly portal?: string | undefined;
  readonly language?: string | undefined;
  /** Where to sign in. */
  readonly signIn?: string | undefined;
}

/** The templates, and the names of the values each is given. */
const TEMPLATES = {
  notice: ['person', 'sentence', 'when', 'notMe'],
  recovery: ['person', 'username', 'link', 'time'],
  usernames: ['usernames', 'signIn'],
} as const;
type Template = keyof typeof TEMPLATES;

/** @throws OperatorError when a template of the overlay does not compile */
export function createLetters({ config, texts }: { config: Config; texts: Texts }): Letters {
  const { languages, branding } = config;
  let compiled: Readonly<Record<Template, MailTemplates>> | undefined;
  const templates = (): Readonly<Record<Template, MailTemplates>> => {
    compiled ??= compileMails(TEMPLATES, {
      overlay: branding.overlay,
      colours: buttonColours(branding.theme.accent),
    });
    return compiled;
  };
  // Our own compile: a start need not wait for them. An operator must hear at once of one that doesn't.
  if (branding.overlay) templates();

  const reader = (language: string | undefined, asked?: string): { t: Translate; locale: string } => {
    const chosen = chooseLocale({ chosen: language, uiLocales: asked }, languages.offered, languages.default);
    return { t: texts.translator(chosen.language, chosen.locale), locale: chosen.locale };
  };

  /** Both forms of a mail, from values that are one line each. */
  const compose = (
    name: Template,
    head: { to: string; t: Translate; locale: string; brand: string; subject: string },
    own: Record<string, unknown>,
  ): Mail => {
    const { to, t, locale, brand } = head;
    const subject = oneLine(head.subject);
    const locals = { t, language: locale, brand, subject, ...own };
    const template = templates()[name];
    return { to, from: brand, subject, text: template.text(locals), html: template.html(locals) };
  };

  return {
    notice({ email = '', username, profile }, { event, values, at }, notMe, to = email) {
      const { t, locale } = reader(profile.locale);
      const brand = oneLine(branding.name);
      const told = { ...lines(values), brand, username: oneLine(username) };
      const subject = t(`mail.notices.${event}.subject`, told);
      return compose(
        'notice',
        { to, t, locale, brand, subject },
        {
          person: oneLine(profile.name ?? username),
          sentence: t(`mail.notices.${event}.sentence`, told),
          when: new Intl.DateTimeFormat(locale, {
            year: 'numeric',
            month: 'long',
            day: 'numeric',
            hour: 'numeric',
            minute: '2-digit',
            timeZoneName: 'short',
            timeZone: profile.zoneinfo && TIME_ZONES.has(profile.zoneinfo) ? profile.zoneinfo : 'UTC',
          }).format(at),
          notMe,
        },
      );
    },

    recovery({ email = '', username, profile }, { link, portal, minutes, language }) {
      const { t, locale } = reader(profile.locale, language);
      const brand = oneLine(portal ?? branding.name);
      const subject = t('mail.recovery.subject', { brand });
      return compose(
        'recovery',
        { to: email, t, locale, brand, subject },
        {
          person: oneLine(profile.name ?? username),
          username: oneLine(username),
          link,
          time: formatWait(minutes * 60, locale),
        },
      );
    },

    usernames(to, { usernames, portal, language, signIn }) {
      const { t, locale } = reader(undefined, language);
      const brand = oneLine(portal ?? branding.name);
      const subject = t('mail.usernames.subject', { brand });
      return compose('usernames', { to, t, locale, brand, subject }, { usernames: usernames.map(oneLine), signIn });
    },
  };
}

const LONGEST_VALUE = 254;
/** Also what turns the direction of writing round, so that a name can't rearrange the sentence it stands in. */
const BREAKS = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu;

/** No name can add lines to a mail, or words beyond a name's length. */
const oneLine = (value: string): string => value.replace(BREAKS, ' ').slice(0, LONGEST_VALUE).toWellFormed().trim();

const lines = (values: TextValues): TextValues =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, typeof value === 'string' ? oneLine(value) : value]),
  );

const TIME_ZONES = new Set(Intl.supportedValuesOf('timeZone'));
