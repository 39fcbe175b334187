import { afterCode, trustDays } from './second.ts';
import { NOBODY, type Step } from './step.ts';
import { chosenWay } from './ways.ts';

/** The six-digit code of the person's authenticator app. */
export const totp: Step = {
  id: 'totp',
  fields: ['code', 'alternative', 'trust', 'switch'],

  async view(state, { ways }, { credentials }) {
    return {
      username: state.username ?? '',
      ways: ways.filter((way) => way !== 'totp'),
      ...trustDays(credentials),
    };
  },

  async submit(state, form, context, services) {
    if ('switch' in form) return { facts: NOBODY };
    const way = chosenWay(form, context);
    if (way) return { facts: { way } };
    const { totp: factor } = services.credentials;
    const outcome = await factor.verify(state.accountId ?? '', form.code ?? '');
    return afterCode('totp', factor.amr, outcome, state, form, context, services);
  },
};
