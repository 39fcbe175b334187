/** The citizens of the demo's eID: invented, as are their numbers. Each is there to show something. */
export interface Citizen {
  /** Part of the page's address; never told to anybody. */
  readonly id: string;
  /** For life, and the only thing that is sure to be the same person. `XD` is no country (ISO 3166 leaves it to users). */
  readonly nationalNumber: string;
  readonly givenName: string;
  readonly familyName: string;
  /** YYYY-MM-DD */
  readonly birthdate: string;
  readonly email?: { readonly address: string; readonly verified: boolean };
}

export const CITIZENS: readonly Citizen[] = [
  // Two who have an account at Vestibule (`../people.ts`) with the same confirmed address.
  {
    id: 'alice',
    nationalNumber: 'XD-850412-0017',
    givenName: 'Alice',
    familyName: 'Peeters',
    birthdate: '1985-04-12',
    email: { address: 'alice@example.org', verified: true },
  },
  {
    id: 'bruno',
    nationalNumber: 'XD-790923-0128',
    givenName: 'Bruno',
    familyName: 'Lefèvre',
    birthdate: '1979-09-23',
    email: { address: 'bruno@example.org', verified: true },
  },
  // Unknown to Vestibule: an account can be created, or another one linked.
  {
    id: 'nora',
    nationalNumber: 'XD-920130-0239',
    givenName: 'Nora',
    familyName: 'Haddad',
    birthdate: '1992-01-30',
    email: { address: 'nora.haddad@example.net', verified: true },
  },
  // Gives Alice’s address, which nobody confirmed: must never get Alice’s account.
  {
    id: 'aline',
    nationalNumber: 'XD-880605-0341',
    givenName: 'Aline',
    familyName: 'Petit',
    birthdate: '1988-06-05',
    email: { address: 'alice@example.org', verified: false },
  },
  // No address at all.
  {
    id: 'jan',
    nationalNumber: 'XD-510817-0452',
    givenName: 'Jan',
    familyName: 'Claes',
    birthdate: '1951-08-17',
  },
];

export const citizenOf = (id: string | undefined): Citizen | undefined => CITIZENS.find((one) => one.id === id);

/** OpenID Connect Core §5.4: which claims a scope stands for. */
export const CLAIMS_BY_SCOPE = {
  openid: ['sub', 'acr', 'amr', 'auth_time'],
  profile: ['name', 'given_name', 'family_name', 'birthdate'],
  email: ['email', 'email_verified'],
  national_number: ['national_number'],
};

export function claimsOf(citizen: Citizen): Record<string, string | boolean> {
  const { givenName, familyName, birthdate, nationalNumber, email } = citizen;
  return {
    name: `${givenName} ${familyName}`,
    given_name: givenName,
    family_name: familyName,
    birthdate,
    national_number: nationalNumber,
    ...(email ? { email: email.address, email_verified: email.verified } : {}),
  };
}
