import { acrOf, meets } from './assurance.ts';
import type { Demand, JourneyState } from './state.ts';
import type { StepId } from './steps/step.ts';

export interface Facts {
  readonly state: JourneyState;
  readonly demand: Demand;
  /** Whether the browser says that it can use passkeys; `undefined` when it never said. */
  readonly browser: { readonly passkeys: boolean | undefined };
}

/** `unmet`: what is demanded can't be reached by this person, and is not silently lowered. */
export type Next = StepId | 'unmet' | 'finished';

interface Row {
  readonly step: Exclude<Next, 'finished'>;
  readonly due: (facts: Facts) => boolean;
}

const wantsLogin = ({ demand }: Facts): boolean => demand.prompt === 'login';
const proven = ({ state }: Facts, factor: string): boolean => state.proofs.some((proof) => proof.factor === factor);
const authenticated = (facts: Facts): boolean => proven(facts, 'password') || proven(facts, 'passkey');
const demandMet = ({ state, demand }: Facts): boolean => meets(acrOf(state.proofs), demand.acr ?? []);
/** A password alone would do for what is demanded. */
export const passwordSuffices = (demand: Demand): boolean => meets(acrOf([{ amr: ['pwd'] }]), demand.acr ?? []);

/** Where a password would not do, a browser that never said what it can is given the chance to. */
const passkeyUsable = ({ state, browser, demand }: Facts): boolean =>
  state.passkey === true && (browser.passkeys ?? !passwordSuffices(demand));

/** The passkey is the first thing asked for, unless the person took the other way; or the thing that is missing. */
const wantsPasskey = (facts: Facts): boolean =>
  authenticated(facts) ? !demandMet(facts) : facts.state.instead !== 'password' || !passwordSuffices(facts.demand);

/**
 * The login journey, read from top to bottom: the first row that is due is the step to show.
 * A new step is one more row here and one more file in `steps/`.
 */
const TABLE: readonly Row[] = [
  { step: 'identify', due: (facts) => wantsLogin(facts) && facts.state.username === undefined },
  {
    // Said before anybody types a password for nothing (RFC 9470 §5); of a stranger's name nothing is told.
    step: 'unmet',
    due: (facts) =>
      wantsLogin(facts) &&
      facts.state.known === true &&
      !demandMet(facts) &&
      !passwordSuffices(facts.demand) &&
      !(passkeyUsable(facts) && !proven(facts, 'passkey')),
  },
  {
    step: 'passkey',
    due: (facts) => wantsLogin(facts) && passkeyUsable(facts) && !proven(facts, 'passkey') && wantsPasskey(facts),
  },
  { step: 'password', due: (facts) => wantsLogin(facts) && !authenticated(facts) },
  { step: 'unmet', due: (facts) => wantsLogin(facts) && !demandMet(facts) },
  { step: 'offer-passkey', due: (facts) => wantsLogin(facts) && facts.state.offer !== undefined },
  { step: 'consent', due: ({ state, demand }) => demand.prompt === 'consent' && !state.consented },
];

/** Pure: from facts to the step that is due, or `finished`. */
export function nextStep(facts: Facts): Next {
  return TABLE.find((row) => row.due(facts))?.step ?? 'finished';
}
