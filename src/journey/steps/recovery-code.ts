import { afterCode } from './second.ts';
import { NOBODY, type Step } from './step.ts';
import { chosenWay } from './ways.ts';

/** One of the codes that were printed for the day the telephone is lost. */
export const recoveryCode: Step = {
  id: 'recovery-code',
  fields: ['recovery_code', 'alternative', 'switch'],

  async view(state, { ways }) {
    return { username: state.username ?? '', ways: ways.filter((way) => way !== 'recovery-code') };
  },

  async submit(state, form, context, services) {
    if ('switch' in form) return { facts: NOBODY };
    const way = chosenWay(form, context);
    if (way) return { facts: { way } };
    const { credentials, notices } = services;
    const accountId = state.accountId ?? '';
    const outcome = await credentials.recoveryCodes.verify(accountId, form.recovery_code ?? '', (left) =>
      notices.about(accountId, { event: 'recovery_code_used', values: { left } }),
    );
    return afterCode('recovery-code', credentials.recoveryCodes.amr, outcome, state, form, context, services, {
      facts: { codes: 'left' },
      events: [{ event: 'recovery_code.used', accountId }],
    });
  },
};
