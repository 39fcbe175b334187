import { epochSeconds } from '../../kernel/clock.ts';
import type { Step } from './step.ts';

export const password: Step = {
  id: 'password',
  fields: ['password', 'switch'],

  async view(state) {
    return { username: state.username ?? '' };
  },

  async submit(state, form, { address }, { accounts, credentials, attempts, clock }) {
    // "Not you?": forget who it was, keep nothing that was proven for them.
    if ('switch' in form)
      return { facts: { username: undefined, identifier: undefined, accountId: undefined, proofs: [] } };

    const given = form.password ?? '';
    if (given === '') return { problem: { code: 'password_required' } };

    // Counted before it is checked, so that parallel guesses can't slip past the limit.
    const attempt = await attempts.begin(state.accountId ?? state.identifier ?? '', address);
    // Suspended since the name was typed: checked for nobody, as a name nobody has is.
    const account = await accounts.find(state.accountId ?? 'nobody');
    const accountId = account?.state === 'active' ? account.id : undefined;
    const outcome = await credentials.password.verify(accountId, given).catch(async (error: unknown) => {
      await attempt.takeBack();
      throw error;
    });
    const who = state.accountId === undefined ? {} : { accountId: state.accountId };
    if (!outcome.proven) return { problem: { code: outcome.problem }, events: [{ event: 'login.failed', ...who }] };

    const proof = { factor: 'password', amr: credentials.password.amr, at: epochSeconds(clock) };
    return {
      facts: { proofs: [...state.proofs, proof] },
      events: [{ event: 'login.succeeded', ...who }],
      settle: attempt.succeeded,
    };
  },
};
