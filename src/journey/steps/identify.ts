import { may, readIdentifier } from '../../accounts/index.ts';
import { guesserOf } from './guesser.ts';
import { beginPasskey, provePasskey } from './passkey-proof.ts';
import type { Step } from './step.ts';

/**
 * Username first. Whether somebody has that name changes nothing a visitor can see: the next
 * page is the same, and so is the work. A passkey chosen in the field says who it is by itself.
 */
export const identify: Step = {
  id: 'identify',
  fields: ['username', 'credential', 'alternative'],

  async view(state, { loginHint }, _services, form) {
    return { username: form?.username ?? state.username ?? loginHint ?? '' };
  },

  begin: (state, _form, context, services) => beginPasskey('anybody', state, context, services),

  async submit(state, form, context, services) {
    if (form.credential !== undefined) return provePasskey(form.credential, state, context, services);
    const { accounts, credentials, attempts } = services;
    const typed = form.username ?? '';
    const read = readIdentifier(typed);
    if ('problem' in read) return { problem: { code: read.problem }, form: { username: typed.slice(0, 254) } };
    const account = await accounts.findByIdentifier(read.identifier);
    // A suspended person is treated like an unknown one: the password is checked for nobody.
    const person: { accountId?: string; generation?: number } =
      account && may(account, 'password') ? { accountId: account.id, generation: account.generation } : {};
    const named = { ...person, identifier: read.identifier };
    const [passkey, lockedUntil] = await Promise.all([
      credentials.passkey.isExpected(named.accountId, read.identifier),
      attempts.lockedUntil(guesserOf(named, context, services)),
    ]);
    return { facts: { username: typed.trim(), ...named, passkey, lockedUntil } };
  },
};
