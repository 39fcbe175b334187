import { type Facts, type Next, nextStep } from '../../../src/journey/next-step.ts';
import type { JourneyState } from '../../../src/journey/state.ts';
import { isReached, RULES, situationOf, worthOf } from './rules.ts';
import { collect, describe, type One, type Person, proof, TOUCHED, told, VERIFIED, vouched } from './states.ts';

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
    case 'external': {
      if (state.linking && !state.linkWanted) return { ...state, linkWanted: true };
      if (state.linking) return unlinked(state);
      // The best that any of them can say.
      const best = facts.externals.flatMap(({ acr }) => acr).at(-1);
      return { ...state, proofs: [...state.proofs, vouched(best)] };
    }
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

function unlinked(state: JourneyState): JourneyState {
  const { linking: _gone, linkWanted: _too, ...rest } = state;
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
  // What was asked for the sake of a link was not asked for the portal's.
  if (known && best.end === 'unmet' && best.pages.length > 0 && !one.facts.state.linking)
    yield `asked in vain: ${[...best.pages, best.end].join(' → ')}`;
}

/** @returns how many states there were */
export function judge(states: Iterable<One>): number {
  const faults = collect();
  let count = 0;
  for (const one of states) {
    count += 1;
    const step = nextStep(one.facts);
    const situation = situationOf(one.facts);
    for (const { says, holds } of RULES) {
      if (!holds(situation, step)) faults.add(`${says}: ${step}`, () => describe(one));
    }
    for (const fault of faultsOfWalks(one, step)) faults.add(fault, () => describe(one));
  }
  faults.expectNone();
  return count;
}
