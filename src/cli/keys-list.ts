import { parseArgs } from 'node:util';
import { CONFIG_OPTION, CONFIG_USAGE, type Command } from './command.ts';
import { withStorage } from './storage.ts';

export const keysList: Command = {
  name: 'keys list',
  summary: 'list the signing keys',
  usage: `
Usage: vestibule keys list [--json]

Lists the keys that sign tokens: algorithm, key id (kid), whether it signs or only verifies, and
since when. Private parts never leave the storage. There are none before the first start.

  ${CONFIG_USAGE}
  --json           [{"alg": …, "kid": …, "signs": …, "created_at": …}]`,

  async run(args, { stdout }) {
    const { values } = parseArgs({ args, options: { ...CONFIG_OPTION, json: { type: 'boolean' } } });
    const stored = await withStorage(values.config, ({ durable }) => durable.keys.list());
    const keys = stored.map(({ alg, kid, position, createdAt }) => ({
      alg,
      kid,
      signs: position === 0,
      created_at: new Date(createdAt * 1000).toISOString(),
    }));
    const lines = keys.map(
      ({ alg, kid, signs, created_at }) => `${alg.padEnd(6)} ${kid}  ${signs ? 'signs   ' : 'verifies'}  ${created_at}`,
    );
    const text = values.json
      ? JSON.stringify(keys, null, 2)
      : lines.join('\n') || 'no keys yet: they are made at the first start';
    stdout.write(`${text}\n`);
    return 0;
  },
};
