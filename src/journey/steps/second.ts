import type { Credentials, SecondOutcome } from '../../credentials/index.ts';
import { epochSeconds } from '../../kernel/clock.ts';
import type { JourneyState, Proof } from '../state.ts';
import type { Facts, StepContext, StepEvent, StepForm, StepOutcome, StepServices } from './step.ts';

/**
 * What a checked code leads to: a proof like any other, or the page again with a sentence. Who it is
 * was proven before, so a wrong code is that person's.
 * @param also facts that go with a right code
 */
export function afterCode(
  factor: string,
  amr: readonly string[],
  outcome: SecondOutcome,
  state: JourneyState,
  form: StepForm,
  { ways }: Pick<StepContext, 'ways'>,
  { clock, credentials }: StepServices,
  also: { readonly facts?: Facts; readonly events?: readonly StepEvent[] } = {},
): StepOutcome {
  const who = state.accountId === undefined ? {} : { accountId: state.accountId };
  if (!outcome.proven) {
    const { problem: reason, blockedFor } = outcome;
    // Only where there is one, another way is pointed at.
    const code = reason === 'factor_blocked' && ways.length > 1 ? 'factor_blocked_ways' : reason;
    return {
      problem: { code, ...(blockedFor === undefined ? {} : { wait: blockedFor }) },
      events: [{ event: 'login.failed', details: { factor, reason }, ...who }],
    };
  }
  const proof: Proof = { factor, amr, at: epochSeconds(clock) };
  return {
    facts: { proofs: [...state.proofs, proof], ...trustIn(form, credentials), ...also.facts },
    events: [{ event: 'login.succeeded', details: { factor }, ...who }, ...(also.events ?? [])],
  };
}

/** "Don't ask on this device": a wish of whoever just gave a right code, where the operator allows it. */
const trustIn = (form: StepForm, { trustedDevices }: Credentials): Facts =>
  'trust' in form && trustedDevices.lifetime !== undefined ? { trust: true } : {};

/** Days for which a device may be trusted; absent where none may. */
export const trustDays = ({ trustedDevices }: Credentials): { trustDays?: number } =>
  trustedDevices.lifetime === undefined ? {} : { trustDays: Math.round(trustedDevices.lifetime / 86_400) };
