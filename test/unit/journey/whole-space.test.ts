import { expect, test } from '@jest/globals';
import { type Next, nextStep } from '../../../src/journey/next-step.ts';
import {
  BEFORE_ANY_PROOF,
  BROWSERS,
  collect,
  DEMANDS,
  describe,
  everyState,
  FIRST_CHOICES,
  NOW,
  PROVEN_NOW,
  SIGNED_IN,
  told,
} from './states.ts';
import { judge } from './walks.ts';

test.each([
  ['before any proof', BEFORE_ANY_PROOF, 19_000],
  ['of somebody signed in', SIGNED_IN, 190_000],
  ['after a proof', PROVEN_NOW, 120_000],
] as const)('every state %s gets the step that the rules allow, and a way to an end', (_what, kinds, atLeast) => {
  expect(judge(everyState(kinds))).toBeGreaterThanOrEqual(atLeast);
});

test('too many wrong passwords change nothing but this: for the password, its pause is shown while it lasts', () => {
  const faults = collect();
  for (const one of everyState([...BEFORE_ANY_PROOF, ...SIGNED_IN, ...PROVEN_NOW])) {
    const step = nextStep(one.facts);
    const withLock = (lockedUntil: number) => nextStep({ ...one.facts, state: { ...one.facts.state, lockedUntil } });
    const during = withLock(NOW + 1);
    if (during !== (step === 'password' ? 'locked' : step)) faults.add(`during: ${during}`, () => describe(one));
    if (withLock(NOW) !== step) faults.add('after it ended', () => describe(one));
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
      if (step !== usual) faults.add(`${step}, not ${usual}`, () => describe({ ...one, facts: those }));
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
