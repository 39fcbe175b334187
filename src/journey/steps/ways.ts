import type { Second } from '../state.ts';
import type { StepContext, StepForm } from './step.ts';

/** The other second factor a person asks for on a page; only one they have. */
export const chosenWay = (form: StepForm, { ways }: StepContext): Second | undefined =>
  ways.find((way) => way === form.alternative);
