import { expect } from '@jest/globals';
import { serverSchema } from '../../../src/config/schema/server.ts';
import { createLadder } from '../../../src/journey/assurance.ts';
import type { Facts } from '../../../src/journey/next-step.ts';
import type { Demand, JourneyState, LevelDemand, Proof } from '../../../src/journey/state.ts';

/** States of a journey, for the tests that go through all of them. */

export const ladder = createLadder(serverSchema.parse({ issuer: 'http://localhost:3000' }).assurance.levels);

export const SFA = 'https://refeds.org/profile/sfa';
export const MFA = 'https://refeds.org/profile/mfa';
export const UNKNOWN = 'urn:example:nobody-knows';

export const LOW = 'http://eidas.europa.eu/LoA/low';
export const SUBSTANTIAL = 'http://eidas.europa.eu/LoA/substantial';
export const HIGH = 'http://eidas.europa.eu/LoA/high';

export const TOUCHED = ['hwk', 'user'];
export const VERIFIED = ['hwk', 'user', 'mfa'];

export type Enrolled = NonNullable<JourneyState['enrolled']>;

/** What is true of somebody, whether or not the journey was told yet. */
export interface Person {
  readonly enrolled: Enrolled;
  readonly hasPasskey: boolean;
  readonly required: string | undefined;
}

/** How far somebody is identified when the step is asked for. */
export interface Identified {
  readonly how: string;
  readonly is: 'nobody' | 'typed' | 'stranger' | 'signed in' | 'proven';
  readonly proofs: readonly Proof[];
  readonly fits?: (person: Person) => boolean;
}

export const proof = (factor: string, amr: readonly string[], attested?: true): Proof => ({
  factor,
  amr,
  at: 1,
  ...(attested ? { attested } : {}),
});
/** @param acr what an external provider vouches for */
export const vouched = (acr?: string): Proof => ({
  factor: 'external',
  amr: [],
  at: 1,
  ...(acr === undefined ? {} : { acr }),
});
const hasVerified = ({ enrolled }: Person): boolean => enrolled.some(({ amr }) => amr.includes('mfa'));
/** Of a name that nobody has there is only whether a passkey is expected. */
const isBare = ({ enrolled, required }: Person): boolean =>
  required === undefined && enrolled.every(({ factor }) => factor === 'password' || factor === 'passkey');
const hasPasskey = (person: Person): boolean => person.hasPasskey;

export const BEFORE_ANY_PROOF: readonly Identified[] = [
  { how: 'nobody named', is: 'nobody', proofs: [] },
  { how: 'a name typed', is: 'typed', proofs: [] },
  { how: 'a name typed that nobody has', is: 'stranger', proofs: [], fits: isBare },
  { how: 'signed in, to be proven anew', is: 'signed in', proofs: [] },
];

/** Whatever a session was begun with may have been taken away since. */
export const SIGNED_IN: readonly Identified[] = [
  { how: 'a session by password', is: 'signed in', proofs: [proof('session', ['pwd'])] },
  { how: 'a session by password and code', is: 'signed in', proofs: [proof('session', ['pwd', 'otp', 'mfa'])] },
  { how: 'a session by verified passkey', is: 'signed in', proofs: [proof('session', VERIFIED)] },
  { how: 'a session by touched passkey', is: 'signed in', proofs: [proof('session', TOUCHED)] },
  { how: 'a session by attested passkey', is: 'signed in', proofs: [proof('session', VERIFIED, true)] },
];

export const PROVEN_NOW: readonly Identified[] = [
  { how: 'password', is: 'proven', proofs: [proof('password', ['pwd'])] },
  { how: 'verified passkey', is: 'proven', proofs: [proof('passkey', VERIFIED)], fits: hasVerified },
  { how: 'attested passkey', is: 'proven', proofs: [proof('passkey', VERIFIED, true)], fits: hasVerified },
  { how: 'touched passkey', is: 'proven', proofs: [proof('passkey', TOUCHED)], fits: hasPasskey },
];

const ENROLLED: readonly Enrolled[] = [[], [{ factor: 'totp', amr: ['otp'] }]].flatMap((app) =>
  [[], [{ factor: 'sms', amr: ['sms'] }]].flatMap((message) =>
    [[], [{ factor: 'recovery-codes', amr: ['otp'] }]].flatMap((codes) =>
      [[], [{ factor: 'passkey', amr: TOUCHED }], [{ factor: 'passkey', amr: VERIFIED }]].map((passkey) => [
        { factor: 'password', amr: ['pwd'] },
        ...passkey,
        ...app,
        ...message,
        ...codes,
      ]),
    ),
  ),
);

export const PEOPLE: readonly Person[] = ENROLLED.flatMap((enrolled) =>
  [undefined, MFA, 'phr'].map((required) => ({
    enrolled,
    hasPasskey: enrolled.some(({ factor }) => factor === 'passkey'),
    required,
  })),
);

export const asked = (...acr: string[]): LevelDemand => ({ source: 'request', acr });
export const DEMANDS: readonly (readonly LevelDemand[])[] = [
  [],
  [asked(SFA)],
  [asked(MFA)],
  [asked('phr')],
  [asked('phrh')],
  [asked(UNKNOWN)],
  [asked(UNKNOWN, MFA)],
  [asked('phr', SFA)],
  [asked(SFA), { source: 'client', acr: ['phr'] }],
  [asked('phr'), { source: 'organisation', acr: [MFA] }],
  [asked(MFA), { source: 'client', acr: [UNKNOWN] }],
];

export const BROWSERS = [true, false, undefined];

type Choice = Pick<JourneyState, 'instead' | 'way'>;
export const FIRST_CHOICES: readonly Choice[] = [{}, { instead: 'password' }];
export const CHOICES: readonly Choice[] = [
  ...FIRST_CHOICES,
  ...(['totp', 'sms', 'recovery-code', 'passkey'] as const).map((way) => ({ way })),
];

/** What is left to tell or to offer once enough was shown. */
export const PENDING: readonly Pick<JourneyState, 'codes' | 'offer'>[] = [
  { codes: 'new' },
  { codes: 'left', offer: 'first' },
  { offer: 'this-device' },
];

export interface Variant {
  readonly facts: Partial<JourneyState>;
  /** What the client's file allows. */
  readonly allows?: Pick<Demand, 'trustedDeviceSuffices'>;
}
export const ON_A_TRUSTED_DEVICE: readonly Variant[] = [
  { facts: { trusted: true } },
  { facts: { trusted: true }, allows: { trustedDeviceSuffices: true } },
];

/** Seconds since the epoch. */
export const NOW = 1000;

const NOBODY: JourneyState = { uid: 'u', clientId: 'c', proofs: [] };

/** What the journey is told of a person once it is known who they are. */
export const told = ({ enrolled, required }: Person): Partial<JourneyState> =>
  required === undefined ? { enrolled } : { enrolled, required };

export function stateOf({ is, proofs }: Identified, person: Person): JourneyState {
  if (is === 'nobody') return NOBODY;
  const named = { ...NOBODY, username: 'alice', passkey: person.hasPasskey };
  if (is === 'stranger') return named;
  if (is === 'typed') return { ...named, accountId: 'a' };
  return { ...named, accountId: 'a', ...told(person), proofs, ...(is === 'signed in' ? { known: true } : {}) };
}

export interface One {
  readonly kind: Identified;
  readonly person: Person;
  readonly facts: Facts;
}

/** Every state of those kinds, with the person it is about. */
export function* everyState(kinds: readonly Identified[]): Generator<One> {
  for (const kind of kinds)
    for (const person of PEOPLE) {
      if (kind.fits && !kind.fits(person)) continue;
      const base = stateOf(kind, person);
      const variants: readonly Variant[] = [
        ...(kind.proofs.length > 0 ? CHOICES : FIRST_CHOICES).map((choice) => ({ facts: choice })),
        // Left to tell only what came of a proof in this journey.
        ...(kind.is === 'proven' ? PENDING.map((left) => ({ facts: left })) : []),
        // Told with whose name it is.
        ...(kind.is === 'proven' || kind.is === 'signed in' ? ON_A_TRUSTED_DEVICE : []),
      ];
      // Without a proof there is none that could be fresh.
      const ages = kind.proofs.length > 0 ? [true, false] : [false];
      for (const { facts, allows } of variants) {
        const state = { ...base, ...facts };
        for (const levels of DEMANDS) {
          const demand = { prompt: 'login', levels, ...allows } as const;
          for (const passkeys of BROWSERS)
            for (const fresh of ages)
              yield {
                kind,
                person,
                facts: {
                  state,
                  demand,
                  browser: { passkeys },
                  externals: [],
                  fresh,
                  linkableSince: 0,
                  now: NOW,
                  ladder,
                },
              };
        }
      }
    }
}

export const describe = ({ kind, facts }: One): string =>
  JSON.stringify({
    how: kind.how,
    enrolled: facts.state.enrolled?.map(({ factor, amr }) => `${factor} ${amr.join('+')}`).join(', '),
    passkey: facts.state.passkey,
    required: facts.state.required,
    levels: facts.demand.levels.map(({ acr }) => acr.join(' or ')),
    browser: String(facts.browser.passkeys),
    fresh: facts.fresh,
    instead: facts.state.instead,
    way: facts.state.way,
    trusted: facts.state.trusted,
    allowed: facts.demand.trustedDeviceSuffices,
    codes: facts.state.codes,
    offer: facts.state.offer,
    linking: facts.state.linking && `${facts.state.linking.acr}, ${facts.state.linkWanted ? 'wanted' : 'undecided'}`,
    providers: facts.externals.map(({ id }) => id).join(', '),
  });

/** Failures, of each kind the first. */
export function collect() {
  const first = new Map<string, string>();
  let count = 0;
  return {
    add: (kind: string, example: () => string): void => {
      count += 1;
      if (!first.has(kind)) first.set(kind, example());
    },
    expectNone: (): void => expect({ count, first: Object.fromEntries(first) }).toEqual({ count: 0, first: {} }),
  };
}
