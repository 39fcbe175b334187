import { parseArgs } from 'node:util';
import { createAudit } from '../audit/index.ts';
import { createAttempts } from '../journey/index.ts';
import { systemRandom as random } from '../kernel/random.ts';
import { SecretBox } from '../kernel/secret-box.ts';
import { CONFIG_OPTION, CONFIG_USAGE, type Command, UsageError } from './command.ts';
import { personOf } from './person.ts';
import { withStorage } from './storage.ts';

export const peopleUnlock: Command = {
  name: 'people unlock',
  summary: 'let a person try the password again at once',
  usage: `
Usage: vestibule people unlock <username> [options]

Ends the pause after too many wrong passwords (limits.lockout). It ends by itself as well, and the person can end
it by choosing a new password by mail. The server may be running.

  ${CONFIG_USAGE}
  --json                   {"id": …, "locked": whether there was a pause}`,

  async run(args, { stdout }) {
    const options = { ...CONFIG_OPTION, json: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [username, ...rest] = positionals;
    if (username === undefined || rest.length > 0) throw new UsageError('name one person');
    const { id, locked } = await withStorage(values.config, async (storage) => {
      const { config, durable, ephemeral, clock } = storage;
      const { account } = await personOf(storage, username);
      const secretBox = new SecretBox(config.masterKeys, random);
      const { counters, locks } = ephemeral;
      const attempts = createAttempts({ counters, locks, limits: config.limits, secretBox, clock });
      const audit = createAudit({ store: durable.audit, clock, random });
      await audit.record({ event: 'people.unlocked', accountId: account.id });
      return { id: account.id, locked: await attempts.unlock(account.id) };
    });
    const text = locked
      ? `${username} can try the password again.`
      : `${username} was not locked; failed tries so far are forgotten.`;
    stdout.write(values.json ? `${JSON.stringify({ id, locked })}\n` : `${text}\n`);
    return 0;
  },
};
