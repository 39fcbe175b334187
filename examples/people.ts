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
  /** What signing in as this person shows today. */
  readonly shows: string;
}

const person = (
  given_name: string,
  family_name: string,
  where: { locale: string; zoneinfo: string; phone_number?: string; phone_number_verified?: boolean },
  shows: string,
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
});

const BRUSSELS = 'Europe/Brussels';
const ZURICH = 'Europe/Zurich';

export const PEOPLE: readonly DemoPerson[] = [
  person('Alice', 'Peeters', { locale: 'nl-BE', zoneinfo: BRUSSELS }, 'a password and nothing else'),
  person('Bruno', 'Lefèvre', { locale: 'fr-BE', zoneinfo: BRUSSELS }, 'a password; authenticator app to come'),
  person('Chloé', 'Favre', { locale: 'fr-CH', zoneinfo: ZURICH }, 'a password; her organisation’s two factors to come'),
  person('Dieter', 'Brunner', { locale: 'de-CH', zoneinfo: ZURICH }, 'a password; running an organisation to come'),
  person(
    'Emma',
    'Bernasconi',
    { locale: 'it-CH', zoneinfo: ZURICH, phone_number: '+41790000001', phone_number_verified: true },
    'a password; codes by SMS to come',
  ),
  person('Sam', 'Whitfield', { locale: 'en-GB', zoneinfo: 'Europe/London' }, 'a password; support desk to come'),
  person('Robin', 'Ott', { locale: 'en', zoneinfo: ZURICH }, 'a password; administration console to come', 'root'),
];
