import { readIdentifier } from '../../accounts/index.ts';
import type { Step } from './step.ts';

/**
 * Username first. Whether somebody has that name changes nothing a visitor can see: the next
 * page is the same, and so is the work.
 */
export const identify: Step = {
  id: 'identify',
  fields: ['username'],

  async view(state, { loginHint }, form) {
    return { username: form?.username ?? state.username ?? loginHint ?? '' };
  },

  async submit(_state, form, _context, { accounts }) {
    const typed = form.username ?? '';
    const read = readIdentifier(typed);
    if ('problem' in read) return { problem: { code: read.problem }, form: { username: typed.slice(0, 254) } };
    const account = await accounts.findByIdentifier(read.identifier);
    return {
      facts: {
        username: typed.trim(),
        identifier: read.identifier,
        // A suspended person is treated like an unknown one: the password is checked for nobody.
        ...(account?.state === 'active' ? { accountId: account.id } : {}),
      },
    };
  },
};
