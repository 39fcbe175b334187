/**
 * Adds people to the storage of a configuration folder: `node seed.ts <folder>` with a JSON
 * array of people on standard input. A process of its own, as it needs the server's environment;
 * one process for all of them, as starting one takes longer than adding a hundred people.
 */
import { text } from 'node:stream/consumers';
import { createAccounts, type NewPerson } from '../../src/accounts/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { createCredentials } from '../../src/credentials/index.ts';
import { systemClock as clock } from '../../src/kernel/clock.ts';
import { createLogger } from '../../src/kernel/logger.ts';
import { systemRandom as random } from '../../src/kernel/random.ts';
import { SecretBox } from '../../src/kernel/secret-box.ts';
import { openDurable, openEphemeral } from '../../src/storage/registry.ts';

export interface Person extends NewPerson {
  readonly password: string;
  /** An authenticator app that is set up already: its key, base32, and the list of recovery codes that goes with it. */
  readonly totp?: { readonly secret: string; readonly recoveryCodes?: readonly string[] };
}

async function addPeople(directory: string, people: readonly Person[]): Promise<void> {
  const config = loadConfig(directory);
  const logger = createLogger('warn');
  const durable = await openDurable(config.storage.durable, { clock, logger });
  const ephemeral = await openEphemeral(config.storage.ephemeral, { clock, logger });
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
  for (const { password, totp, ...person } of people) {
    const account = await accounts.add(person);
    await credentials.password.set(account.id, password);
    if (totp) await credentials.totp.setSecret(account.id, totp.secret);
    if (totp?.recoveryCodes) await credentials.recoveryCodes.set(account.id, totp.recoveryCodes);
  }
  await credentials.close();
  await ephemeral.close();
  await durable.close();
}

await addPeople(process.argv[2] ?? '', JSON.parse(await text(process.stdin)) as Person[]);
