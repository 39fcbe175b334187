import type { Demand, JourneyState } from './state.ts';
import type { StepId } from './steps/step.ts';

export interface Facts {
  readonly state: JourneyState;
  readonly demand: Demand;
}

interface Row {
  readonly step: StepId;
  readonly due: (facts: Facts) => boolean;
}

const wantsLogin = ({ demand }: Facts): boolean => demand.prompt === 'login';
const proven = ({ state }: Facts, factor: string): boolean => state.proofs.some((proof) => proof.factor === factor);

/**
 * The login journey, read from top to bottom: the first row that is due is the step to show.
 * A new step is one more row here and one more folder under `steps/`.
 */
const TABLE: readonly Row[] = [
  { step: 'identify', due: (facts) => wantsLogin(facts) && facts.state.username === undefined },
  { step: 'password', due: (facts) => wantsLogin(facts) && !proven(facts, 'password') },
  { step: 'consent', due: ({ state, demand }) => demand.prompt === 'consent' && !state.consented },
];

/** Pure: from facts to the step that is due, or `finished`. */
export function nextStep(facts: Facts): StepId | 'finished' {
  return TABLE.find((row) => row.due(facts))?.step ?? 'finished';
}
