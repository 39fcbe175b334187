import { parseArgs } from 'node:util';
import { createAccounts, readIdentifier } from '../accounts/index.ts';
import { createAudit } from '../audit/index.ts';
import { createCredentials } from '../credentials/index.ts';
import { createTexts } from '../i18n/index.ts';
import { OperatorError } from '../kernel/errors.ts';
import { systemRandom as random } from '../kernel/random.ts';
import { SecretBox } from '../kernel/secret-box.ts';
import { createMailer, createNotices } from '../notifications/index.ts';
import { CONFIG_OPTION, CONFIG_USAGE, type Command, UsageError } from './command.ts';
import { type CommandStorage, withStorage } from './storage.ts';

export const peopleResetFactors: Command = {
  name: 'people reset-factors',
  summary: 'remove passkeys, authenticator app and recovery codes of a person who lost them',
  usage: `
Usage: vestibule people reset-factors <username> --verified-by <how> [options]

Removes every passkey, the authenticator app and the recovery codes of a person who lost them, so that
the password signs in and new ones can be set up. The person is told by mail. Make sure first that it is this person
who asks: --verified-by is kept in the audit trail. A session that is open on a lost device ends
by itself (lifetimes.session). The server may be running.

  --verified-by <how>      such as "identity card at the desk, S. Muster"
  ${CONFIG_USAGE}
  --json                   {"id": …, "removed": ["passkey"], "told": "told", "nobody" or "failed"}`,

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
        : `${username}: removed ${removed.join(', ')}. ${TOLD[told]}`;
    stdout.write(values.json ? `${JSON.stringify({ id, removed, told })}\n` : `${text}\n`);
    return 0;
  },
};

const TOLD = {
  told: 'The person was told by mail.',
  nobody: 'The person was not told: no address, or no mail server in the configuration. Tell them.',
  failed: 'The mail to the person could not be sent. Tell them.',
} as const;

async function reset(
  { config, durable, ephemeral, clock, logger }: CommandStorage,
  username: string,
  verifiedBy: string,
): Promise<{ id: string; removed: readonly string[]; told: keyof typeof TOLD }> {
  const accounts = createAccounts({ store: durable.accounts, clock, random });
  const read = readIdentifier(username);
  const account = 'problem' in read ? undefined : await accounts.findByIdentifier(read.identifier);
  if (!account) throw new OperatorError(`There is nobody of the name ${username}.`);

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
  const texts = createTexts({ defaultLanguage: config.languages.default, overlay: config.branding.overlay });
  const notices = createNotices({ config, accounts, mailer: createMailer(config), texts, clock, logger });
  const removed: string[] = [];
  let told: keyof typeof TOLD = 'nobody';
  for (const factor of credentials.factors) {
    if (factor.id === 'password' || !(await factor.enrolled(account.id))) continue;
    await factor.remove(account.id);
    removed.push(factor.id);
  }
  if (removed.length > 0) {
    const details = { removed, verified_by: verifiedBy.slice(0, 200) };
    await audit.record({ event: 'people.factors_reset', accountId: account.id, details });
    told = await notices.tell(account.id, { event: 'factors_reset', values: {} });
  }
  await Promise.all([notices.close(), credentials.close()]);
  return { id: account.id, removed, told };
}
