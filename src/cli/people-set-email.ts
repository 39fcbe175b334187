import { parseArgs } from 'node:util';
import { createAudit } from '../audit/index.ts';
import { OperatorError, VestibuleError } from '../kernel/errors.ts';
import { systemRandom as random } from '../kernel/random.ts';
import { createNotices, isPlainAddress } from '../notifications/index.ts';
import { createSignOut } from '../oidc/index.ts';
import { createLinks } from '../recovery/index.ts';
import { CONFIG_OPTION, CONFIG_USAGE, type Command, UsageError } from './command.ts';
import { personOf } from './person.ts';
import { type CommandStorage, withStorage } from './storage.ts';

export const peopleSetEmail: Command = {
  name: 'people set-email',
  summary: 'give a person another e-mail address',
  usage: `
Usage: vestibule people set-email <username> <address> --verified-by <how> [options]

Gives a person another e-mail address. Whoever reads its mails can choose a new password: make sure that it is
this person who asks, and that the address is theirs; --verified-by is kept in the audit trail. The person is told
at the old address and at the new one, links mailed before are void, and the person is signed out everywhere.
The server may be running.

  --verified-by <how>      such as "identity card at the desk, S. Muster"
  ${CONFIG_USAGE}
  --json                   {"id": …}`,

  async run(args, { stdout }) {
    const options = { ...CONFIG_OPTION, 'verified-by': { type: 'string' }, json: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [username, email, ...rest] = positionals;
    if (username === undefined || email === undefined || rest.length > 0)
      throw new UsageError('name one person and one address');
    const verifiedBy = values['verified-by']?.trim();
    if (!verifiedBy) throw new UsageError('say with --verified-by how you made sure that it is this person who asks');
    if (!isPlainAddress(email)) throw new OperatorError(`${email} is not one plain e-mail address.`);
    const id = await withStorage(values.config, (storage) => setEmail(storage, username, email, verifiedBy)).catch(
      (error: unknown) => {
        if (!(error instanceof VestibuleError) || error.code !== 'username_taken') throw error;
        throw new OperatorError(`Nothing was changed: ${email} belongs to somebody else.`);
      },
    );
    stdout.write(values.json ? `${JSON.stringify({ id })}\n` : `${username} has the address ${email} now.\n`);
    return 0;
  },
};

async function setEmail(storage: CommandStorage, username: string, email: string, verifiedBy: string): Promise<string> {
  const { config, durable, ephemeral, clock } = storage;
  const { accounts, account } = await personOf(storage, username);
  const audit = createAudit({ store: durable.audit, clock, random });
  const notices = createNotices({ mail: config.mail, clock, random });
  const notice = { event: 'email_changed', values: {} } as const;
  const told = [account.email, email].flatMap((to) => (to === undefined ? [] : notices.about(account.id, notice, to)));
  const details = { verified_by: verifiedBy.slice(0, 200) };
  // The trail first: what can't be recorded is not done.
  await audit.record({ event: 'people.email_changed', accountId: account.id, details });
  await accounts.setEmail(account.id, email, told);
  await createLinks({ store: ephemeral.artifacts, clock, random }).void(account.id);
  await createSignOut({ accounts, durable: durable.artifacts, ephemeral: ephemeral.artifacts, clock })(account.id);
  return account.id;
}
