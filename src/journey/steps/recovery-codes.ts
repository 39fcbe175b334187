import { FEW_RECOVERY_CODES } from '../../credentials/index.ts';
import type { JourneyState } from '../state.ts';
import { bindingOf } from './passkey-proof.ts';
import type { Step, StepServices } from './step.ts';

/** A new list of recovery codes, shown until it is kept; or how many are left of the old one. */
export const recoveryCodes: Step = {
  id: 'recovery-codes',
  fields: ['kept', 'renew'],

  async view(state, _context, services) {
    const { recoveryCodes: codes } = services.credentials;
    const [left, few, shown] = await Promise.all([
      codes.left(state.accountId ?? ''),
      mayRenew(state, services),
      state.codes === 'new' ? codes.shown(bindingOf(state)) : undefined,
    ]);
    return { codes: shown ?? [], left, few };
  },

  async submit(state, form, { record }, services) {
    const { credentials, notices } = services;
    const accountId = state.accountId ?? '';
    if ('renew' in form && (await mayRenew(state, services))) {
      await record({ event: 'recovery_codes.renewed', accountId });
      const mails = notices.about(accountId, { event: 'recovery_codes_renewed', values: {} });
      await credentials.recoveryCodes.renew(bindingOf(state), accountId, mails);
      return { facts: { codes: 'new' } };
    }
    const shown = state.codes === 'new' && (await credentials.recoveryCodes.shown(bindingOf(state))) !== undefined;
    if (shown && !('kept' in form)) return { problem: { code: 'recovery_codes_not_kept' } };
    await credentials.recoveryCodes.kept(bindingOf(state));
    return { facts: { codes: undefined } };
  },
};

/** Few are left, and enough was proven to change how the account signs in: one code more must not be enough for a new list. */
async function mayRenew(
  { accountId = '', proofs, codes }: JourneyState,
  { credentials, ladder }: StepServices,
): Promise<boolean> {
  if (codes !== 'left' || (await credentials.recoveryCodes.left(accountId)) > FEW_RECOVERY_CODES) return false;
  return ladder.mayChangeFactors(proofs, await credentials.potential(accountId));
}
