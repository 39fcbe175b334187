import { parseArgs } from 'node:util';
import { createAudit } from '../audit/index.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { OperatorError } from '../kernel/errors.ts';
import { systemRandom as random } from '../kernel/random.ts';
import { SecretBox } from '../kernel/secret-box.ts';
import { RotationUnderWay, rotate, type StandingKey } from '../keys/index.ts';
import type { StoredKey } from '../storage/ports.ts';
import { CONFIG_OPTION, CONFIG_USAGE, type Command } from './command.ts';
import { keysAsJson, keysAsText, timeOf, UPSTREAM_OPTION, UPSTREAM_USAGE, whichKeys } from './keys.ts';
import { withDurable } from './storage.ts';

export const keysRotate: Command = {
  name: 'keys rotate',
  summary: 'put new signing keys in the place of the present ones',
  usage: `
Usage: vestibule keys rotate [options]

Makes a new key for each algorithm. It is published at once and used a day later, when nobody can have
an older copy of the keys; the present one is published on until the last token signed with it has
expired, and forgotten a day later. Servers may be running, and notice within a minute.

  ${CONFIG_USAGE}
  ${UPSTREAM_USAGE}
  --at-once        the new keys are used at once and the present ones forgotten, because somebody else
                   may know them. A server signs with the old ones until it notices, and a portal that
                   keeps our keys accepts those, and may not know the new ones, until it fetches them
                   again: a day later at most. With --upstream, a provider that keeps ours may encrypt to
                   a forgotten one for as long, and what it sends can't be opened
  --json           as \`keys list --json\``,

  async run(args, { stdout }) {
    const options = {
      ...CONFIG_OPTION,
      ...UPSTREAM_OPTION,
      'at-once': { type: 'boolean' },
      json: { type: 'boolean' },
    } as const;
    const { values } = parseArgs({ args, options });
    const atOnce = values['at-once'] ?? false;
    const all = await withDurable(values.config, async ({ config, durable, clock }) => {
      const { store, retention, purpose } = whichKeys(values.upstream, config, durable);
      // Made by whoever first needs them: then there is nothing to take the place of.
      if ((await store.list()).length === 0) throw new OperatorError('There are no keys yet.');
      const now = epochSeconds(clock);
      const fresh = await makeKeys(values.upstream, new SecretBox(config.masterKeys, random), now);
      const standing = await rotate(store, fresh, { now, retention, atOnce }).catch(inWords);
      const audit = createAudit({ store: durable.audit, clock, random });
      await audit.record({ event: 'keys.rotated', details: { purpose, at_once: atOnce } });
      return standing;
    });
    stdout.write(`${values.json ? keysAsJson(all) : `${keysAsText(all)}\n${whatFollows(all)}`}\n`);
    return 0;
  },
};

/** Loaded when needed: the protocol library takes a while. */
async function makeKeys(upstream: boolean | undefined, secretBox: SecretBox, now: number): Promise<StoredKey[]> {
  if (upstream) return (await import('../federation/index.ts')).makeUpstreamKeys(secretBox, now);
  return (await import('../oidc/index.ts')).makeSigningKeys(secretBox, now);
}

function inWords(error: unknown): never {
  if (!(error instanceof RotationUnderWay)) throw error;
  throw new OperatorError(
    `A rotation is under way until ${timeOf(error.until)}; nothing was changed. With --at-once the present keys end now, before what was made with them has expired.`,
    { cause: error },
  );
}

function whatFollows(all: readonly StandingKey[]): string {
  const from = all.find(({ standing }) => standing === 'announced')?.until;
  return from === undefined
    ? 'The new keys are used from now on.'
    : `The new keys are published, and used from ${timeOf(from)} on.`;
}
