import { parseArgs } from 'node:util';
import { createAudit } from '../audit/index.ts';
import { createCredentials } from '../credentials/index.ts';
import { systemRandom as random } from '../kernel/random.ts';
import { SecretBox } from '../kernel/secret-box.ts';
import { createNotices } from '../notifications/index.ts';
import { createSignOut } from '../oidc/index.ts';
import { CONFIG_OPTION, CONFIG_USAGE, type Command, UsageError } from './command.ts';
import { personOf } from './person.ts';
import { type CommandStorage, withStorage } from './storage.ts';

export const peopleResetFactors: Command = {
  name: 'people reset-factors',
  summary: 'remove passkeys, authenticator app and recovery codes of a person who lost them',
  usage: `
Usage: vestibule people reset-factors <username> --verified-by <how> [options]

Removes every passkey, the authenticator app and the recovery codes of a person who lost them, so that
the password signs in and new ones can be set up, and signs the person out everywhere. Make sure first
that it is this person who asks: --verified-by is kept in the audit trail. The person is told by mail, which
the server sends; it may be running.

  --verified-by <how>      such as "identity card at the desk, S. Muster"
  ${CONFIG_USAGE}
  --json                   {"id": …, "removed": ["passkey"], "told": true when a mail is on its way}`,

  async run(args, { stdout }) {
    const options = { ...CONFIG_OPTION, 'verified-by': { type: 'string' }, json: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [username, ...rest] = positionals;
    if (username === undefined || rest.length > 0) throw new UsageError('name one person');
    const verifiedBy = values['verified-by']?.trim();
    if (!verifiedBy) throw new UsageError('say with --verified-by how you made sure that it is this person who asks');
    const { id, removed, told } = await withStorage(values.config, (storage) => reset(storage, username, verifiedBy));
    const text =
      removed.length === 0
        ? `${username} has nothing to reset.`
        : `${username}: removed ${removed.join(', ')}. ${told ? MAILED : NOBODY}`;
    stdout.write(values.json ? `${JSON.stringify({ id, removed, told })}\n` : `${text}\n`);
    return 0;
  },
};

const MAILED = 'A mail to the person is on its way.';
const NOBODY = 'The person is not told: no address, or no mail server in the configuration. Tell them.';

async function reset(
  storage: CommandStorage,
  username: string,
  verifiedBy: string,
): Promise<{ id: string; removed: readonly string[]; told: boolean }> {
  const { config, durable, ephemeral, clock, logger } = storage;
  const { accounts, account } = await personOf(storage, username);
  const credentials = createCredentials({
    store: durable.credentials,
    accounts: durable.accounts,
    challenges: ephemeral.artifacts,
    counters: ephemeral.counters,
    clock,
    random,
    secretBox: new SecretBox(config.masterKeys, random),
    logger,
    config,
  });
  const audit = createAudit({ store: durable.audit, clock, random });
  const notices = createNotices({ mail: config.mail, clock, random });
  const enrolled = await Promise.all(
    credentials.factors.map(({ id, enrolled }) => id !== 'password' && enrolled(account.id)),
  );
  const factors = credentials.factors.filter((_, at) => enrolled[at]);
  const removed = factors.map(({ id }) => id);
  const mails = account.email === undefined ? [] : notices.about(account.id, { event: 'factors_reset', values: {} });
  if (factors.length > 0) {
    // The trail first: what can't be recorded is not done.
    const details = { removed, verified_by: verifiedBy.slice(0, 200) };
    await audit.record({ event: 'people.factors_reset', accountId: account.id, details }, mails);
    await Promise.all(factors.map((factor) => factor.remove(account.id)));
    await createSignOut({ accounts, durable: durable.artifacts, ephemeral: ephemeral.artifacts, clock })(account.id);
  }
  await credentials.close();
  return { id: account.id, removed, told: factors.length > 0 && mails.length > 0 };
}
