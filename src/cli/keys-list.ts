import { parseArgs } from 'node:util';
import { epochSeconds } from '../kernel/clock.ts';
import { standings } from '../keys/index.ts';
import { CONFIG_OPTION, CONFIG_USAGE, type Command } from './command.ts';
import { keysAsJson, keysAsText, UPSTREAM_OPTION, UPSTREAM_USAGE, whichKeys } from './keys.ts';
import { withDurable } from './storage.ts';

export const keysList: Command = {
  name: 'keys list',
  summary: 'list the signing keys',
  usage: `
Usage: vestibule keys list [options]

Lists the keys that sign tokens: algorithm, key id (kid), whether it is in use, announced (published, to be
used next) or only verifies what it signed before, when it was made, and until when that is so. Private
parts never leave the storage. There are none before the first start.

  ${CONFIG_USAGE}
  ${UPSTREAM_USAGE}
  --json           [{"alg": …, "kid": …, "signs": …, "standing": "current", "announced", "retired" or
                   "ended", "created_at": …, "until": …}]`,

  async run(args, { stdout }) {
    const options = { ...CONFIG_OPTION, ...UPSTREAM_OPTION, json: { type: 'boolean' } } as const;
    const { values } = parseArgs({ args, options });
    const all = await withDurable(values.config, async ({ config, durable, clock }) => {
      const { store, retention } = whichKeys(values.upstream, config, durable);
      return standings(await store.list(), epochSeconds(clock), retention);
    });
    const text = values.json ? keysAsJson(all) : keysAsText(all) || 'no keys yet: they are made at the first start';
    stdout.write(`${text}\n`);
    return 0;
  },
};
