import { passwordLeadsOn } from '../next-step.ts';
import { beginPasskey, provePasskey } from './passkey-proof.ts';
import { NOBODY, type Step } from './step.ts';
import { chosenWay } from './ways.ts';

/** The passkey of the person named before. For a name nobody has it looks the same and never succeeds. */
export const passkey: Step = {
  id: 'passkey',
  fields: ['credential', 'alternative', 'switch'],

  async view(state, { demand, ways }, { ladder }) {
    const isFirst = state.proofs.length === 0;
    return {
      username: state.username ?? '',
      passwordInstead: isFirst && passwordLeadsOn({ demand, ladder }),
      ways: ways.filter((way) => way !== 'passkey'),
    };
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
    const way = chosenWay(form, context);
    if (way) return { facts: { way } };
    // Chosen, or sent by a browser that runs no script after all: the password is a way on for both.
    return state.proofs.length === 0 && passwordLeadsOn({ demand: context.demand, ladder: services.ladder })
      ? { facts: { instead: 'password' } }
      : { problem: { code: 'passkey_no_script' } };
  },
};
