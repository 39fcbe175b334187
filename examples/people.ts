/**
 * The people of the demo. Their passwords follow a pattern, so that they can be remembered;
 * the demo makes each of them once and then leaves them as they are.
 */
export interface DemoPerson {
  readonly username: string;
  readonly password: string;
  readonly email: string;
  readonly profile: {
    readonly name: string;
    readonly given_name: string;
    readonly family_name: string;
    readonly locale: string;
    readonly zoneinfo: string;
    readonly phone_number?: string;
    readonly phone_number_verified?: boolean;
  };
  /** An authenticator app that is set up already, with its recovery codes. */
  readonly totp?: { readonly secret: string; readonly recoveryCodes: readonly string[] };
  /** Least level of assurance that this account demands. */
  readonly minimumAcr?: string;
  /** What signing in as this person shows today. */
  readonly shows: string;
}

const person = (
  given_name: string,
  family_name: string,
  where: { locale: string; zoneinfo: string; phone_number?: string; phone_number_verified?: boolean },
  shows: string,
  more: Pick<DemoPerson, 'totp' | 'minimumAcr'> = {},
  username = given_name
    .normalize('NFD')
    .replace(/[^a-z]/gi, '')
    .toLowerCase(),
): DemoPerson => ({
  username,
  password: `${username}-demo-password`,
  email: `${username}@example.org`,
  profile: { name: `${given_name} ${family_name}`, given_name, family_name, ...where },
  shows,
  ...more,
});

const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const BRUSSELS = 'Europe/Brussels';
const ZURICH = 'Europe/Zurich';

export const PEOPLE: readonly DemoPerson[] = [
  person(
    'Alice',
    'Peeters',
    { locale: 'nl-BE', zoneinfo: BRUSSELS },
    'a password; a passkey is offered, /account adds more',
  ),
  person('Bruno', 'Lefèvre', { locale: 'fr-BE', zoneinfo: BRUSSELS }, `an authenticator app: ${SECRET}`, {
    totp: {
      secret: SECRET,
      recoveryCodes: Array.from({ length: 8 }, (_, n) => `AAAA${n + 1}-BBBB${n + 1}-CCCC${n + 1}`),
    },
  }),
  person('Chloé', 'Favre', { locale: 'fr-CH', zoneinfo: ZURICH }, 'two factors demanded, none set up yet', {
    minimumAcr: 'https://refeds.org/profile/mfa',
  }),
  person('Dieter', 'Brunner', { locale: 'de-CH', zoneinfo: ZURICH }, 'a password; running an organisation to come'),
  person(
    'Emma',
    'Bernasconi',
    { locale: 'it-CH', zoneinfo: ZURICH, phone_number: '+41790000001', phone_number_verified: true },
    'codes by SMS; the mailbox shows them',
  ),
  person('Sam', 'Whitfield', { locale: 'en-GB', zoneinfo: 'Europe/London' }, 'a password; support desk to come'),
  person('Robin', 'Ott', { locale: 'en', zoneinfo: ZURICH }, 'a password; administration console to come', {}, 'root'),
];
