import { expect, test } from '@jest/globals';
import { serverSchema } from '../../../src/config/schema/server.ts';
import { createLadder } from '../../../src/journey/assurance.ts';
import { type Facts, type Next, nextStep } from '../../../src/journey/next-step.ts';
import type { Demand, JourneyState, LevelDemand, Proof } from '../../../src/journey/state.ts';
import { isReached, RULES, situationOf, worthOf } from './rules.ts';

const ladder = createLadder(serverSchema.parse({ issuer: 'http://localhost:3000' }).assurance.levels);

const SFA = 'https://refeds.org/profile/sfa';
const MFA = 'https://refeds.org/profile/mfa';
const UNKNOWN = 'urn:example:nobody-knows';

const TOUCHED = ['hwk', 'user'];
const VERIFIED = ['hwk', 'user', 'mfa'];

type Enrolled = NonNullable<JourneyState['enrolled']>;

/** What is true of somebody, whether or not the journey was told yet. */
interface Person {
  readonly enrolled: Enrolled;
  readonly hasPasskey: boolean;
  readonly required: string | undefined;
}

/** How far somebody is identified when the step is asked for. */
interface Identified {
  readonly how: string;
  readonly is: 'nobody' | 'typed' | 'stranger' | 'signed in' | 'proven';
  readonly proofs: readonly Proof[];
  readonly fits?: (person: Person) => boolean;
}

const proof = (factor: string, amr: readonly string[], attested?: true): Proof => ({
  factor,
  amr,
  at: 1,
  ...(attested ? { attested } : {}),
});
const hasVerified = ({ enrolled }: Person): boolean => enrolled.some(({ amr }) => amr.includes('mfa'));
/** Of a name that nobody has there is only whether a passkey is expected. */
const isBare = ({ enrolled, required }: Person): boolean =>
  required === undefined && enrolled.every(({ factor }) => factor === 'password' || factor === 'passkey');
const hasPasskey = (person: Person): boolean => person.hasPasskey;

const BEFORE_ANY_PROOF: readonly Identified[] = [
  { how: 'nobody named', is: 'nobody', proofs: [] },
  { how: 'a name typed', is: 'typed', proofs: [] },
  { how: 'a name typed that nobody has', is: 'stranger', proofs: [], fits: isBare },
  { how: 'signed in, to be proven anew', is: 'signed in', proofs: [] },
];

/** Whatever a session was begun with may have been taken away since. */
const SIGNED_IN: readonly Identified[] = [
  { how: 'a session by password', is: 'signed in', proofs: [proof('session', ['pwd'])] },
  { how: 'a session by password and code', is: 'signed in', proofs: [proof('session', ['pwd', 'otp', 'mfa'])] },
  { how: 'a session by verified passkey', is: 'signed in', proofs: [proof('session', VERIFIED)] },
  { how: 'a session by touched passkey', is: 'signed in', proofs: [proof('session', TOUCHED)] },
  { how: 'a session by attested passkey', is: 'signed in', proofs: [proof('session', VERIFIED, true)] },
];

const PROVEN_NOW: readonly Identified[] = [
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

const PEOPLE: readonly Person[] = ENROLLED.flatMap((enrolled) =>
  [undefined, MFA, 'phr'].map((required) => ({
    enrolled,
    hasPasskey: enrolled.some(({ factor }) => factor === 'passkey'),
    required,
  })),
);

const asked = (...acr: string[]): LevelDemand => ({ source: 'request', acr });
const DEMANDS: readonly (readonly LevelDemand[])[] = [
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

const BROWSERS = [true, false, undefined];

type Choice = Pick<JourneyState, 'instead' | 'way'>;
const FIRST_CHOICES: readonly Choice[] = [{}, { instead: 'password' }];
const CHOICES: readonly Choice[] = [
  ...FIRST_CHOICES,
  ...(['totp', 'sms', 'recovery-code', 'passkey'] as const).map((way) => ({ way })),
];

/** What is left to tell or to offer once enough was shown. */
const PENDING: readonly Pick<JourneyState, 'codes' | 'offer'>[] = [
  { codes: 'new' },
  { codes: 'left', offer: 'first' },
  { offer: 'this-device' },
];

interface Variant {
  readonly facts: Partial<JourneyState>;
  /** What the client's file allows. */
  readonly allows?: Pick<Demand, 'trustedDeviceSuffices'>;
}
const ON_A_TRUSTED_DEVICE: readonly Variant[] = [
  { facts: { trusted: true } },
  { facts: { trusted: true }, allows: { trustedDeviceSuffices: true } },
];

/** Seconds since the epoch. */
const NOW = 1000;

const NOBODY: JourneyState = { uid: 'u', clientId: 'c', proofs: [] };

/** What the journey is told of a person once it is known who they are. */
const told = ({ enrolled, required }: Person): Partial<JourneyState> =>
  required === undefined ? { enrolled } : { enrolled, required };

function stateOf({ is, proofs }: Identified, person: Person): JourneyState {
  if (is === 'nobody') return NOBODY;
  const named = { ...NOBODY, username: 'alice', passkey: person.hasPasskey };
  if (is === 'stranger') return named;
  if (is === 'typed') return { ...named, accountId: 'a' };
  return { ...named, accountId: 'a', ...told(person), proofs, ...(is === 'signed in' ? { known: true } : {}) };
}

interface One {
  readonly kind: Identified;
  readonly person: Person;
  readonly facts: Facts;
}

/** Every state of those kinds, with the person it is about. */
function* everyState(kinds: readonly Identified[]): Generator<One> {
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
              yield { kind, person, facts: { state, demand, browser: { passkeys }, fresh, now: NOW, ladder } };
        }
      }
    }
}

const describe = ({ kind, facts }: One): string =>
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
  });

/** Failures, the first ten of which are shown. */
function collect() {
  const first: string[] = [];
  let count = 0;
  return {
    add: (fault: () => string): void => {
      count += 1;
      if (first.length < 10) first.push(fault());
    },
    expectNone: (): void => expect({ count, first }).toEqual({ count: 0, first: [] }),
  };
}

/** How a passkey answers in a walk: what a portal or account leaves open may end with a touch. */
const PASSKEYS = { verified: VERIFIED, attested: VERIFIED, touched: TOUCHED };
type Answer = keyof typeof PASSKEYS;

/** The state after the step was passed. */
function passed(facts: Facts, step: Exclude<Next, 'finished' | 'unmet'>, person: Person, answer: Answer): JourneyState {
  const { state } = facts;
  const shows = (factor: string, amr: readonly string[], also: Partial<JourneyState> = {}): JourneyState => ({
    ...state,
    accountId: 'a',
    ...told({ ...person, enrolled: state.enrolled ?? person.enrolled }),
    ...also,
    proofs: [...state.proofs, proof(factor, amr, answer === 'attested' && factor === 'passkey' ? true : undefined)],
  });
  switch (step) {
    case 'identify':
      return { ...state, username: 'alice', accountId: 'a', passkey: person.hasPasskey };
    case 'passkey':
      return shows('passkey', PASSKEYS[mayTouch(facts) ? answer : 'verified']);
    case 'password':
      return shows('password', ['pwd']);
    case 'totp':
      return shows('totp', ['otp']);
    case 'sms':
      return shows('sms', ['sms']);
    case 'recovery-code':
      return shows('recovery-code', ['otp'], { codes: 'left' });
    case 'enrol-totp':
      return shows('totp', ['otp'], {
        codes: 'new',
        enrolled: [...(state.enrolled ?? []), { factor: 'totp', amr: ['otp'] }],
      });
    case 'locked':
      return without(state, 'lockedUntil');
    case 'recovery-codes':
      return without(state, 'codes');
    case 'offer-passkey':
      return without(state, 'offer');
    case 'consent':
      return { ...state, consented: true };
  }
}

/** Fingerprint, face or PIN is not insisted on where the request would be content without. */
const mayTouch = ({ state, demand }: Facts): boolean =>
  isReached(demand.levels, worthOf([...state.proofs, { amr: TOUCHED }]));

function without(state: JourneyState, fact: 'codes' | 'offer' | 'lockedUntil'): JourneyState {
  const { [fact]: _gone, ...rest } = state;
  return rest;
}

interface Walk {
  readonly end: Next;
  readonly pages: readonly Next[];
  /** A passkey was asked for where a touch would have done. */
  readonly couldTouch: boolean;
  /** Where it ended. */
  readonly last: Facts;
}

const LONGEST = 8;

/** @param first the step that is due where the walk begins */
function walk({ facts: start, person }: One, first: Next, answer: Answer): Walk {
  const pages: Next[] = [];
  let facts = start;
  let step = first;
  let couldTouch = false;
  while (step !== 'finished' && step !== 'unmet' && pages.length < LONGEST) {
    pages.push(step);
    if (step === 'passkey') couldTouch ||= mayTouch(facts);
    const state = passed(facts, step, person, answer);
    facts = { ...facts, state, fresh: facts.fresh || state.proofs.length > facts.state.proofs.length };
    step = nextStep(facts);
  }
  return { end: step, pages, couldTouch, last: facts };
}

/** What is wrong with the ways on from there, each page passed at the first try. */
function* faultsOfWalks(one: One, first: Next): Generator<string> {
  // Nobody ends here by a name that nobody has; and from a typed one goes on whoever typed it.
  if (one.kind.is === 'stranger' || one.kind.is === 'typed') return;
  const { known } = one.facts.state;
  const usual = walk(one, first, 'verified');
  const walks = [usual];
  // At best, and at worst; where no passkey is asked for, all are the same.
  if (known && usual.pages.includes('passkey')) walks.push(walk(one, first, 'attested'));
  if (usual.couldTouch) walks.push(walk(one, first, 'touched'));
  for (const { end, pages, last } of walks) {
    if (end !== 'finished' && end !== 'unmet') yield `no end: ${[...pages, end].join(' → ')}`;
    if (end === 'finished' && !situationOf(last).isEnough) yield `below the demand: ${[...pages, end].join(' → ')}`;
  }
  const best = walks[1] ?? usual;
  if (known && best.end === 'unmet' && best.pages.length > 0)
    yield `asked in vain: ${[...best.pages, best.end].join(' → ')}`;
}

test.each([
  ['before any proof', BEFORE_ANY_PROOF, 19_000],
  ['of somebody signed in', SIGNED_IN, 190_000],
  ['after a proof', PROVEN_NOW, 120_000],
] as const)('every state %s gets the step that the rules allow, and a way to an end', (_what, kinds, atLeast) => {
  const faults = collect();
  let states = 0;
  for (const one of everyState(kinds)) {
    states += 1;
    const step = nextStep(one.facts);
    const situation = situationOf(one.facts);
    for (const { says, holds } of RULES) {
      if (!holds(situation, step)) faults.add(() => `${says}: ${step} for ${describe(one)}`);
    }
    for (const fault of faultsOfWalks(one, step)) faults.add(() => `${fault} for ${describe(one)}`);
  }
  faults.expectNone();
  expect(states).toBeGreaterThanOrEqual(atLeast);
});

test('too many wrong passwords change nothing but this: for the password, its pause is shown while it lasts', () => {
  const faults = collect();
  for (const one of everyState([...BEFORE_ANY_PROOF, ...SIGNED_IN, ...PROVEN_NOW])) {
    const step = nextStep(one.facts);
    const withLock = (lockedUntil: number) => nextStep({ ...one.facts, state: { ...one.facts.state, lockedUntil } });
    const during = withLock(NOW + 1);
    if (during !== (step === 'password' ? 'locked' : step)) faults.add(() => `${during}: ${describe(one)}`);
    if (withLock(NOW) !== step) faults.add(() => `after it ended: ${describe(one)}`);
  }
  faults.expectNone();
});

test('a name that was only typed gets the same step, whosever it is and whatever they have', () => {
  const faults = collect();
  const steps = new Map<string, Next>();
  const typed = BEFORE_ANY_PROOF.filter(({ is }) => is === 'typed' || is === 'stranger');
  for (const one of everyState(typed)) {
    const { facts, kind, person } = one;
    const { passkey, instead } = facts.state;
    const visible = JSON.stringify([passkey, instead, facts.demand.levels, String(facts.browser.passkeys)]);
    // Nor would it tell if it knew.
    const knowing =
      kind.is === 'typed' ? [{ ...facts, state: { ...facts.state, ...told(person), trusted: true } }] : [];
    for (const those of [facts, ...knowing]) {
      const step = nextStep(those);
      const usual = steps.get(visible) ?? step;
      steps.set(visible, usual);
      if (step !== usual) faults.add(() => `${step}, not ${usual}, for ${describe({ ...one, facts: those })}`);
    }
  }
  faults.expectNone();
  expect(steps.size).toBe(2 * FIRST_CHOICES.length * DEMANDS.length * BROWSERS.length);
});

test('consent is asked for whatever was proven, and ends the journey', () => {
  const steps = new Set<string>();
  for (const { facts } of everyState(PROVEN_NOW.slice(0, 1))) {
    const request = { ...facts, demand: { ...facts.demand, prompt: 'consent' } } as const;
    steps.add(`${nextStep(request)} → ${nextStep({ ...request, state: { ...facts.state, consented: true } })}`);
  }
  expect([...steps]).toEqual(['consent → finished']);
});
