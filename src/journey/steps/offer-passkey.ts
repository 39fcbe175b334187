import type { Owner } from '../../credentials/index.ts';
import { VestibuleError } from '../../kernel/errors.ts';
import type { JourneyState } from '../state.ts';
import { bindingOf } from './passkey-proof.ts';
import type { Step, StepServices } from './step.ts';

/** After a sign-in: a passkey makes the next one easier. Never in the way of this one. */
export const offerPasskey: Step = {
  id: 'offer-passkey',
  fields: ['credential', 'skip', 'never', 'mediation'],

  async view(state, { browser }) {
    return { username: state.username ?? '', reason: state.offer ?? 'first', automatic: browser.automatic };
  },

  async begin(state, form, _context, services) {
    const owner = await ownerOf(state, services);
    return services.credentials.passkey.beginEnrolment(bindingOf(state), owner, form.mediation === 'conditional');
  },

  async submit(state, form, { browser }, services) {
    const { credentials, notices } = services;
    const { accountId } = await ownerOf(state, services);
    if ('skip' in form || 'never' in form) {
      await credentials.passkey.offers['never' in form ? 'stop' : 'skip'](accountId);
      return { facts: { offer: undefined }, events: [{ event: 'passkey.offer.declined', accountId }] };
    }
    if (form.credential === undefined) return { problem: { code: 'passkey_no_script' } };
    const outcome = await credentials.passkey.enrol({
      binding: bindingOf(state),
      accountId,
      response: form.credential,
      userAgent: browser.userAgent,
    });
    if (!outcome.created) {
      const { problem, reason } = outcome;
      return { problem: { code: problem }, events: [{ event: 'passkey.refused', accountId, details: { reason } }] };
    }
    const { name } = outcome.created;
    await notices.tell(accountId, { event: 'passkey_added', values: { name } });
    return { facts: { offer: undefined }, events: [{ event: 'passkey.added', accountId, details: { name } }] };
  },
};

/** @throws VestibuleError `session_expired` (400) when the account is no longer there, or no longer active */
async function ownerOf({ accountId }: JourneyState, { accounts }: StepServices): Promise<Owner> {
  const account = accountId === undefined ? undefined : await accounts.find(accountId);
  if (account?.state !== 'active') throw new VestibuleError('session_expired', 400);
  return { accountId: account.id, username: account.username, displayName: account.profile.name };
}
