import { formatWait, type Translate } from '../../i18n/index.ts';
import { describeElsewhere } from './external.ts';
import type { PageModels } from './models.ts';

/** For how long signing in with a password is paused. */
export function describeLock(model: PageModels['locked'], t: Translate, locale: string, now: number) {
  return {
    heading: t('locked.heading'),
    extra: {
      text: t('locked.text', { wait: formatWait(model.until - now, locale) }),
      ...describeElsewhere(model, t),
    },
  };
}

/** A new password: the first one, another one, or one in place of a forgotten one. */
export function describeChange(model: PageModels['change-password'], t: Translate) {
  const { current, minimum, words, backHref, notice } = model;
  const inAccount = backHref !== undefined;
  const otherHeading = inAccount ? 'change_password.heading_first' : 'change_password.heading_new';
  return {
    heading: t(current ? 'change_password.heading' : otherHeading),
    extra: {
      inAccount,
      notice: notice && t('change_password.changed'),
      hint: t('change_password.hint', { minimum }),
      // The script puts the number in, as often as it changes.
      short: t('change_password.short', { count: '{count}' }),
      words: words.join(','),
    },
  };
}
