import { isTold } from '../next-step.ts';
import type { Step } from './step.ts';
import { NOBODY } from './step.ts';

/**
 * Two things that are asked of whoever may use an external provider: to link the identity they come with to an account, and to
 * go there because the portal wants what only a provider vouches for.
 */
export const external: Step = {
  id: 'external',
  fields: ['alternative', 'switch'],

  async view(state, { uid, externals }, { federation, credentials }) {
    const { linking, linkWanted, username = '' } = state;
    if (!linking) return { mode: 'step-up', username, externals };
    const { provider } = linking;
    if (linkWanted) return { mode: 'unlinkable', username, provider };
    const label = (await credentials.external.held(bindingOf(uid)))?.label;
    const createAccounts = !isTold(state) && federation.policy(provider)?.create_accounts === true;
    return { mode: 'link', username, provider, label, createAccounts, signedIn: isTold(state) };
  },

  async submit(state, form, { uid }, services) {
    const { external: identities } = services.credentials;
    if ('switch' in form) return { facts: NOBODY };
    if (!state.linking) return { facts: {} };
    if (form.alternative === 'back') {
      await identities.release(bindingOf(uid));
      return { facts: { linking: undefined, linkWanted: undefined } };
    }
    return { facts: { linkWanted: true } };
  },
};

/** What an identity is kept for between two pages. */
export const bindingOf = (uid: string): string => `interaction ${uid}`;
