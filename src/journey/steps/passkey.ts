import { passwordSuffices } from '../next-step.ts';
import { beginPasskey, provePasskey } from './passkey-proof.ts';
import { NOBODY, type Step } from './step.ts';

/** The passkey of the person named before. For a name nobody has it looks the same and never succeeds. */
export const passkey: Step = {
  id: 'passkey',
  fields: ['credential', 'alternative', 'switch'],

  async view(state, { demand }) {
    return { username: state.username ?? '', passwordInstead: passwordSuffices(demand) };
  },

  begin: (state, _form, context, services) =>
    beginPasskey(
      state.accountId === undefined ? { nobody: state.identifier ?? '' } : { accountId: state.accountId },
      state,
      context,
      services,
    ),

  async submit(state, form, context, services) {
    if ('switch' in form) return { facts: NOBODY };
    if (form.credential !== undefined) return provePasskey(form.credential, state, context, services);
    // Chosen, or sent by a browser that runs no script after all: the password is a way on for both.
    return passwordSuffices(context.demand)
      ? { facts: { instead: 'password' } }
      : { problem: { code: 'passkey_no_script' } };
  },
};
