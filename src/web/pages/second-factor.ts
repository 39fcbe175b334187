import type { Translate } from '../../i18n/index.ts';
import { formatDay } from './dates.ts';
import { setupLink } from './links.ts';
import type { PageModels } from './models.ts';
import { drawQrCode } from './qr-code.ts';

/** What an app is set up with: read by its camera, opened on the same device, or typed. */
export function describeSetup({ secret, uri, backHref, problem }: PageModels['enrol-totp'], t: Translate) {
  const setupHref = setupLink(uri);
  return {
    heading: t('enrol_totp.heading'),
    extra: {
      // A code that leads anywhere else is not drawn.
      qr: setupHref ? drawQrCode(setupHref) : undefined,
      setupHref,
      key: secret.match(/.{1,4}/gsu)?.join(' ') ?? '',
      // In the account area it is a choice; on the way in, one more thing to get right.
      inAccount: backHref !== undefined,
      // Then the problem stands above the code to scan, not above the field.
      isNewKey: problem?.code === 'enrolment_expired',
    },
  };
}

/** Either a new list to keep, or how many are left of the old one. */
export function describeRecoveryCodes({ codes }: PageModels['recovery-codes'], name: string, t: Translate) {
  if (codes.length === 0) return { heading: t('recovery_codes.heading_left') };
  const lines = [name, t('recovery_codes.heading_left'), '', ...codes, ''];
  return {
    heading: t('recovery_codes.heading'),
    extra: {
      // Made here, so that keeping a file needs no script; a download is no navigation, which browsers refuse for `data:`.
      downloadHref: `data:text/plain;charset=utf-8,${encodeURIComponent(lines.join('\r\n').toWellFormed())}`,
    },
  };
}

const NOTICES = {
  on: 'account_two_factor.turned_on',
  replaced: 'account_two_factor.replaced',
  off: 'account_two_factor.turned_off',
  codes: 'account_two_factor.renewed',
  devices: 'account_two_factor.forgotten',
} as const;

export function describeTwoFactor(
  { notice, since, devices }: PageModels['account-two-factor'],
  t: Translate,
  locale: string,
) {
  return {
    heading: t('account_two_factor.heading'),
    extra: {
      notice: notice && t(NOTICES[notice]),
      since: since === undefined ? undefined : formatDay(since, locale),
      trusted: devices.map(({ id, name, createdAt, expiresAt }) => ({
        id,
        name,
        since: formatDay(createdAt, locale),
        until: formatDay(expiresAt, locale),
      })),
    },
  };
}
