import { may } from '../../accounts/index.ts';
import { epochSeconds } from '../../kernel/clock.ts';
import type { Proof } from '../state.ts';
import { enrolledOf } from './enrolled.ts';
import { guesserOf } from './guesser.ts';
import { offerAfter } from './offer.ts';
import { NOBODY, type Step } from './step.ts';

export const password: Step = {
  id: 'password',
  fields: ['password', 'switch', 'alternative'],

  async view(state, { browser }) {
    return {
      username: state.username ?? '',
      passkey: state.passkey === true && browser.passkeys === true,
      oldBrowser: !browser.passkeys,
    };
  },

  async submit(state, form, context, services) {
    const { accounts, credentials, attempts, clock } = services;
    if ('switch' in form) return { facts: NOBODY };
    if (form.alternative === 'passkey') return { facts: { instead: undefined } };

    const given = form.password ?? '';
    if (given === '') return { problem: { code: 'password_required' } };

    // Suspended since the name was typed: checked for nobody, as a name nobody has is.
    const account = await accounts.find(state.accountId ?? 'nobody');
    const accountId = may(account, 'password') ? account?.id : undefined;
    // Counted before it is checked, so that parallel guesses can't slip past the limit.
    const attempt = await attempts.begin(guesserOf(state, context, services), context.address);
    if ('refusedUntil' in attempt) return { facts: { lockedUntil: attempt.refusedUntil } };
    const outcome = await credentials.password.verify(accountId, given).catch(async (error: unknown) => {
      await attempt.takeBack();
      throw error;
    });
    const who = state.accountId === undefined ? {} : { accountId: state.accountId };
    if (!outcome.proven) {
      const events = [{ event: 'login.failed', ...who }];
      if (attempt.lockedUntil === undefined) return { problem: { code: outcome.problem }, events };
      return {
        facts: { lockedUntil: attempt.lockedUntil },
        events: [...events, { event: 'login.locked', ...who }],
      };
    }

    const proof: Proof = { factor: 'password', amr: credentials.password.amr, at: epochSeconds(clock) };
    const proofs = [...state.proofs, proof];
    const [offer, rest] =
      accountId === undefined
        ? []
        : await Promise.all([
            offerAfter(proofs, 'first', accountId, context, services),
            enrolledOf({ id: accountId, minimumAcr: account?.minimumAcr }, context.device, services),
          ]);
    return {
      facts: { proofs, generation: account?.generation, ...rest, ...(offer ? { offer } : {}) },
      events: [{ event: 'login.succeeded', ...who }],
      settle: attempt.succeeded,
    };
  },
};
