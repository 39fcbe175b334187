import { NOBODY, type Step } from './step.ts';

/**
 * The password was tried too often. The owner chooses a new one by mail, uses a passkey, or waits; a name that
 * nobody has leads to the same page, in the same words.
 */
export const locked: Step = {
  id: 'locked',
  fields: ['alternative', 'switch'],

  async view(state, { browser }, { recovery }) {
    return {
      username: state.username ?? '',
      until: state.lockedUntil ?? 0,
      sent: state.linkAsked === true,
      mails: recovery.available,
      passkey: state.passkey === true && browser.passkeys === true && state.proofs.length === 0,
    };
  },

  async submit(state, form, { origin, address }, { recovery }) {
    if ('switch' in form) return { facts: NOBODY };
    if (form.alternative === 'passkey') return { facts: { instead: undefined } };
    // Any other way there is none, and without mail no link.
    if ('alternative' in form || !recovery.available) return { facts: {} };
    const { accountId, identifier } = state;
    await recovery.askForPassword(accountId === undefined ? { identifier: identifier ?? '' } : { accountId }, {
      ...origin,
      address,
    });
    return {
      facts: { linkAsked: true },
      events: [{ event: 'recovery.asked', ...(accountId === undefined ? {} : { accountId }) }],
    };
  },
};
