import { may } from '../../accounts/index.ts';
import { CEREMONY_LIFETIME, type Owner } from '../../credentials/index.ts';
import { epochSeconds } from '../../kernel/clock.ts';
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
    if (isOver(state, services)) throw new VestibuleError('passkey_too_late', 409);
    return services.credentials.passkey.beginEnrolment(bindingOf(state), owner, form.mediation === 'conditional');
  },

  async submit(state, form, { browser, record }, services) {
    const { credentials, notices, ladder } = services;
    const { accountId } = await ownerOf(state, services);
    if ('skip' in form || 'never' in form) {
      await credentials.passkey.offers['never' in form ? 'stop' : 'skip'](accountId);
      return { facts: { offer: undefined }, events: [{ event: 'passkey.offer.declined', accountId }] };
    }
    if (form.credential === undefined) return { problem: { code: 'passkey_no_script' } };
    if (isOver(state, services)) return { problem: { code: 'passkey_too_late' } };
    // Another passkey was created since the offer: by now more has to be shown than was.
    if (!ladder.mayChangeFactors(state.proofs, await credentials.potential(accountId)))
      return {
        facts: { offer: undefined },
        events: [{ event: 'passkey.refused', accountId, details: { reason: 'assurance' } }],
      };
    const outcome = await credentials.passkey.enrol({
      binding: bindingOf(state),
      accountId,
      response: form.credential,
      userAgent: browser.userAgent,
      record: async (name) => {
        await record({ event: 'passkey.added', accountId, details: { name } });
        return notices.about(accountId, { event: 'passkey_added', values: { name } });
      },
    });
    if (!outcome.created) {
      const { problem, reason } = outcome;
      return { problem: { code: problem }, events: [{ event: 'passkey.refused', accountId, details: { reason } }] };
    }
    return { facts: { offer: undefined } };
  },
};

/** Whoever comes upon an offer that was left open has proved nothing of late. */
const isOver = ({ proofs }: JourneyState, { clock, proofAge }: StepServices): boolean =>
  epochSeconds(clock) - (proofs.at(-1)?.at ?? 0) > proofAge + CEREMONY_LIFETIME;

/** @throws VestibuleError `session_expired` (400) when the account is no longer there, or no longer active */
async function ownerOf({ accountId }: JourneyState, { accounts }: StepServices): Promise<Owner> {
  const account = accountId === undefined ? undefined : await accounts.find(accountId);
  if (!account || !may(account, 'session')) throw new VestibuleError('session_expired', 400);
  return { accountId: account.id, username: account.username, displayName: account.profile.name };
}
