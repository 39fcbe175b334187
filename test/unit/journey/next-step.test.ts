import { expect, test } from '@jest/globals';
import { nextStep } from '../../../src/journey/next-step.ts';
import type { JourneyState } from '../../../src/journey/state.ts';

const nothing: JourneyState = { uid: 'u', clientId: 'c', proofs: [] };
const identified = { ...nothing, username: 'alice', accountId: 'a' };
const unknown = { ...nothing, username: 'nobody' };
const pwd = { factor: 'password', amr: ['pwd'], at: 1 };

test.each([
  ['nobody named', 'login', nothing, 'identify'],
  ['a proof without a name', 'login', { ...nothing, proofs: [pwd] }, 'identify'],
  ['somebody named', 'login', identified, 'password'],
  ['a name nobody has', 'login', unknown, 'password'],
  ['a password proven', 'login', { ...identified, proofs: [pwd] }, 'finished'],
  ['another proof than the one due', 'login', { ...identified, proofs: [{ ...pwd, factor: 'other' }] }, 'password'],
  ['consent asked', 'consent', nothing, 'consent'],
  ['consent given', 'consent', { ...nothing, consented: true }, 'finished'],
] as const)('%s (%s) → %s', (_what, prompt, state, step) => {
  expect(nextStep({ state, demand: { prompt }, browser: { passkeys: true } })).toBe(step);
});
