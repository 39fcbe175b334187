/** Puts the people of the demo into the configured storage; those who are there stay as they are. */
import { createAccounts } from '../../src/accounts/index.ts';
import { ensurePerson } from '../../src/cli/demo.ts';
import { withStorage } from '../../src/cli/storage.ts';
import { createCredentials } from '../../src/credentials/index.ts';
import { systemRandom as random } from '../../src/kernel/random.ts';
import { SecretBox } from '../../src/kernel/secret-box.ts';
import { PEOPLE } from '../people.ts';

await withStorage(undefined, async ({ config, durable, ephemeral, clock, logger }) => {
  const accounts = createAccounts({ store: durable.accounts, clock, random });
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
  for (const person of PEOPLE) await ensurePerson({ accounts, credentials }, person);
  await credentials.close();
});
