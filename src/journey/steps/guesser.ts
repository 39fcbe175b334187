import type { Guesser } from '../attempts.ts';
import type { JourneyState } from '../state.ts';
import type { StepContext, StepServices } from './step.ts';

/** Whose password is tried, and with which browser. A name nobody has is counted like any other. */
export function guesserOf(
  { accountId, generation = 0, identifier = '' }: Pick<JourneyState, 'accountId' | 'generation' | 'identifier'>,
  { knownDevices }: Pick<StepContext, 'knownDevices'>,
  { credentials }: Pick<StepServices, 'credentials'>,
): Guesser {
  const account = accountId === undefined ? undefined : { id: accountId, generation };
  return { who: accountId ?? identifier, device: credentials.knownDevices.idOf(account, knownDevices) };
}
