/** The steps a journey can be made of. Each returns facts to the dispatcher; none calls another. */
import { consent } from './consent.ts';
import { enrolTotp } from './enrol-totp.ts';
import { external } from './external.ts';
import { identify } from './identify.ts';
import { locked } from './locked.ts';
import { offerPasskey } from './offer-passkey.ts';
import { passkey } from './passkey.ts';
import { password } from './password.ts';
import { recoveryCode } from './recovery-code.ts';
import { recoveryCodes } from './recovery-codes.ts';
import { sms } from './sms.ts';
import type { Step, StepId } from './step.ts';
import { totp } from './totp.ts';

const STEPS: readonly Step[] = [
  identify,
  passkey,
  password,
  locked,
  external,
  totp,
  sms,
  recoveryCode,
  enrolTotp,
  recoveryCodes,
  offerPasskey,
  consent,
];

const byId = new Map(STEPS.map((step) => [step.id, step]));

export const stepOf = (id: StepId): Step => byId.get(id) as Step;
export const isStepId = (id: string): id is StepId => byId.has(id as StepId);

/** Names the form of a step may carry; none for a step that doesn't exist. */
export const fieldsOf = (id: string): readonly string[] => (isStepId(id) ? stepOf(id).fields : []);
