import { bindingOf } from './passkey-proof.ts';
import { afterCode, trustDays } from './second.ts';
import { NOBODY, type Step } from './step.ts';
import { chosenWay } from './ways.ts';

/** A code sent to the person's telephone; sent when the page is shown, and again when asked for. */
export const sms: Step = {
  id: 'sms',
  fields: ['code', 'alternative', 'trust', 'again', 'switch'],

  async view(state, { ways }, { credentials }, form) {
    const accountId = state.accountId ?? '';
    // After a wrong or late code the page says so; another message is sent when it is asked for.
    const sending = form
      ? await credentials.sms.where(accountId)
      : await credentials.sms.send(bindingOf(state), accountId, false);
    return {
      username: state.username ?? '',
      ending: sending?.ending ?? '',
      ways: ways.filter((way) => way !== 'sms'),
      ...trustDays(credentials),
    };
  },

  async submit(state, form, context, services) {
    if ('switch' in form) return { facts: NOBODY };
    const way = chosenWay(form, context);
    if (way) return { facts: { way } };
    const { sms: factor } = services.credentials;
    if ('again' in form) {
      await factor.send(bindingOf(state), state.accountId ?? '', true);
      return { facts: { way: 'sms' } };
    }
    const outcome = await factor.verify(bindingOf(state), state.accountId ?? '', form.code ?? '');
    const after = afterCode('sms', factor.amr, outcome, state, form, context, services);
    return 'problem' in after ? { ...after, form: {} } : after;
  },
};
