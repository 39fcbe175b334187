import type { JourneyState, Proof } from '../state.ts';
import type { StepContext, StepServices } from './step.ts';

/** Seconds a person may spend over the offer: a portal that wants a younger proof is answered at once. */
const LEISURE = 3600;

/**
 * Whether creating a passkey is offered once these proofs were given: where this device can make
 * one, the person didn't decline, and what they proved is enough to change how they sign in.
 */
export async function offerAfter(
  proofs: readonly Proof[],
  offer: NonNullable<JourneyState['offer']>,
  accountId: string,
  { browser, maxAge = LEISURE }: StepContext,
  { credentials: { passkey, potential }, ladder }: Pick<StepServices, 'credentials' | 'ladder'>,
): Promise<JourneyState['offer']> {
  if (!browser.platform || !passkey.offers.enabled || maxAge < LEISURE) return undefined;
  const [isWelcome, enrolled, methods] = await Promise.all([
    passkey.offers.isWelcome(accountId),
    passkey.enrolled(accountId),
    potential(accountId),
  ]);
  const isNew = offer === 'this-device' || !enrolled;
  return isWelcome && isNew && ladder.mayChangeFactors(proofs, methods) ? offer : undefined;
}
