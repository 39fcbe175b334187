/**
 * The login journey: which step is due (`next-step.ts`, a table), what is remembered between
 * steps (`state.ts`), what each step asks and checks (`steps/`), and the dispatcher that ties
 * them together. Nothing here knows HTTP or the protocol library.
 */
export { type Acr, amrOf, createLadder, type Ladder, requiredLevel } from './assurance.ts';
export { type Attempts, createAttempts } from './attempts.ts';
export {
  createJourneys,
  type Ended,
  type JourneyInput,
  type Journeys,
  type Refusal,
  type Showing,
  type SignedIn,
  type Submitted,
} from './dispatcher.ts';
export type { Demand, JourneyState, LevelDemand, Proof } from './state.ts';
export { fieldsOf } from './steps/index.ts';
export type {
  BrowserAbilities,
  ConsentRequest,
  StepEvent,
  StepForm,
  StepId,
  StepServices,
  StepView,
} from './steps/step.ts';
