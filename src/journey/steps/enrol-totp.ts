import { may } from '../../accounts/index.ts';
import { VestibuleError } from '../../kernel/errors.ts';
import type { JourneyState } from '../state.ts';
import { enrolledOf } from './enrolled.ts';
import { bindingOf } from './passkey-proof.ts';
import { afterCode } from './second.ts';
import type { Step } from './step.ts';

/** A key that one person saw is never set up by the next one in the same journey. */
const keyOf = (state: JourneyState): string => `${bindingOf(state)} ${state.accountId}`;

/** Setting an authenticator app up where two factors are demanded and there is none yet. */
export const enrolTotp: Step = {
  id: 'enrol-totp',
  fields: ['code'],

  async view(state, _context, { credentials }) {
    return { ...(await credentials.totp.begin(keyOf(state), state.username ?? '')) };
  },

  async submit(state, form, context, services) {
    const { accounts, credentials, ladder, notices } = services;
    const account = await accounts.find(state.accountId ?? 'nobody');
    if (!account || !may(account, 'session')) throw new VestibuleError('session_expired', 400);
    const accountId = account.id;
    // Something was set up elsewhere since the password: that is asked for now, not replaced.
    const now = await enrolledOf(account, context.device, services);
    const refused = { facts: now, events: [{ event: 'totp.refused', accountId, details: { reason: 'assurance' } }] };
    const { totp, recoveryCodes } = credentials;
    const others = now.enrolled?.filter(({ factor }) => factor !== totp.id && factor !== recoveryCodes.id);
    if (!ladder.mayChangeFactors(state.proofs, others ?? [])) return refused;
    const outcome = await totp.enrol(keyOf(state), accountId, form.code ?? '', false, async () => {
      await context.record({ event: 'totp.added', accountId });
      return notices.about(accountId, { event: 'totp_added', values: {} });
    });
    if (!outcome.proven && outcome.problem === 'changed_meanwhile') return refused;
    if (!outcome.proven) return afterCode('totp', credentials.totp.amr, outcome, state, form, context, services);
    await credentials.recoveryCodes.renew(bindingOf(state), accountId);
    // The code was right, so the app is proven as well as set up.
    return afterCode('totp', credentials.totp.amr, outcome, state, form, context, services, {
      facts: { codes: 'new' },
    });
  },
};
