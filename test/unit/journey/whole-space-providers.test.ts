import { expect, test } from '@jest/globals';
import type { Facts } from '../../../src/journey/next-step.ts';
import type { JourneyState, LevelDemand } from '../../../src/journey/state.ts';
import {
  asked,
  BEFORE_ANY_PROOF,
  type Enrolled,
  HIGH,
  type Identified,
  LOW,
  ladder,
  MFA,
  NOW,
  ON_A_TRUSTED_DEVICE,
  type One,
  type Person,
  PROVEN_NOW,
  proof,
  SFA,
  SIGNED_IN,
  SUBSTANTIAL,
  stateOf,
  type Variant,
  VERIFIED,
  vouched,
} from './states.ts';
import { judge } from './walks.ts';

// The same rules as in `whole-space.test.ts`, where portals offer external providers.

/** Providers that a portal's pages offer. */
type Offer = Facts['externals'];
const NO_PROVIDER: Offer = [];
const OFFERS: readonly Offer[] = [
  NO_PROVIDER,
  [{ id: 'social', acr: [] }],
  [{ id: 'lowly', acr: [LOW] }],
  [
    { id: 'lowly', acr: [LOW] },
    { id: 'eid', acr: [LOW, SUBSTANTIAL, HIGH] },
  ],
];

const BY_A_PROVIDER: readonly Identified[] = [
  { how: 'a provider that vouches for nothing', is: 'proven', proofs: [vouched()] },
  { how: 'an eID at level low', is: 'proven', proofs: [vouched(LOW)] },
  { how: 'an eID at level substantial', is: 'proven', proofs: [vouched(SUBSTANTIAL)] },
  { how: 'an eID at level high', is: 'proven', proofs: [vouched(HIGH)] },
  { how: 'a session by a provider', is: 'signed in', proofs: [proof('session', [])] },
];

/** An identity that nobody has linked: what is to become of it was not said yet, or that it is to be linked. */
const LINKING: readonly Variant[] = [undefined, LOW, HIGH].flatMap((acr) => {
  const linking = { provider: 'eid', ...(acr === undefined ? {} : { acr }) };
  return [{ facts: { linking } }, { facts: { linking, linkWanted: true } }];
});
const LINKING_ON_A_TRUSTED_DEVICE: readonly Variant[] = ON_A_TRUSTED_DEVICE.map(({ facts, ...rest }) => ({
  facts: { ...facts, linking: { provider: 'eid', acr: HIGH }, linkWanted: true },
  ...rest,
}));

const PASSWORD_ALONE: Enrolled = [{ factor: 'password', amr: ['pwd'] }];
const APP: Enrolled = [{ factor: 'totp', amr: ['otp'] }];
const PASSKEY: Enrolled = [{ factor: 'passkey', amr: VERIFIED }];
/** Who came by a provider when the account was made has nothing else. */
const PEOPLE_WITH_PROVIDERS: readonly Person[] = [
  [],
  PASSWORD_ALONE,
  [...PASSWORD_ALONE, ...APP],
  [...PASSWORD_ALONE, ...PASSKEY],
  [...PASSWORD_ALONE, ...APP, ...PASSKEY],
].flatMap((enrolled) =>
  [undefined, MFA].map((required) => ({
    enrolled,
    hasPasskey: enrolled.some((one) => one.factor === 'passkey'),
    required,
  })),
);
const DEMANDS_WITH_PROVIDERS: readonly (readonly LevelDemand[])[] = [
  [],
  [asked(SFA)],
  [asked(MFA)],
  [asked('phr')],
  [asked(LOW)],
  [asked(SUBSTANTIAL)],
  [asked(HIGH, 'phr')],
  [asked(SUBSTANTIAL), { source: 'client', acr: [MFA] }],
];
/** What somebody shows has to be theirs; a session may have been begun with what was taken away since. */
const isTheirs = ({ is, proofs }: Identified, { enrolled }: Person): boolean =>
  is !== 'proven' ||
  proofs.every(({ factor }) => factor === 'external' || enrolled.some((one) => one.factor === factor));

/** Who has nothing here can't link; and what was proven here links it at once, unless the account can show more. */
function mayWait({ is, proofs }: Identified, { enrolled }: Person, { linkWanted }: Partial<JourneyState>): boolean {
  if (is === 'nobody' || is === 'typed') return true;
  if (is === 'stranger' || enrolled.length === 0) return false;
  const here = proofs.filter(({ factor }) => factor !== 'session' && factor !== 'external');
  return here.length === 0 || (linkWanted === true && !ladder.mayChangeFactors(here, enrolled));
}

/** The same with providers on the page, and identities that nobody has linked. */
function* everyStateWithProviders(kinds: readonly Identified[]): Generator<One> {
  for (const kind of kinds)
    for (const person of PEOPLE_WITH_PROVIDERS) {
      if ((kind.fits && !kind.fits(person)) || !isTheirs(kind, person)) continue;
      const base = stateOf(kind, person);
      const variants: readonly Variant[] = [
        { facts: {} },
        ...LINKING,
        ...(kind.is === 'proven' ? [...ON_A_TRUSTED_DEVICE, ...LINKING_ON_A_TRUSTED_DEVICE] : []),
      ].filter(({ facts }) => facts.linking === undefined || mayWait(kind, person, facts));
      for (const { facts, allows } of variants)
        for (const levels of DEMANDS_WITH_PROVIDERS)
          for (const passkeys of [true, false])
            for (const fresh of kind.proofs.length > 0 ? [true, false] : [false])
              for (const externals of OFFERS) {
                const demand = { prompt: 'login', levels, ...allows } as const;
                const state = { ...base, ...facts };
                yield {
                  kind,
                  person,
                  facts: { state, demand, browser: { passkeys }, externals, fresh, linkableSince: 0, now: NOW, ladder },
                };
              }
    }
}

test.each([
  ['before any proof', BEFORE_ANY_PROOF, 1_000],
  ['of somebody signed in', SIGNED_IN, 1_000],
  ['after a proof', PROVEN_NOW, 1_000],
  ['after a sign-in at a provider', BY_A_PROVIDER, 1_000],
] as const)('the same where a portal offers providers: every state %s', (_what, kinds, atLeast) => {
  expect(judge(everyStateWithProviders(kinds))).toBeGreaterThanOrEqual(atLeast);
});
