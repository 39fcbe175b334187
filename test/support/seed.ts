/**
 * Adds people to the storage of a configuration folder: `node seed.ts <folder>` with a JSON
 * array of people on standard input. A process of its own, as it needs the server's environment;
 * one process for all of them, as starting one takes longer than adding a hundred people.
 */
import { text } from 'node:stream/consumers';
import { createAccounts, type NewPerson } from '../../src/accounts/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { createPasswordFactor } from '../../src/credentials/index.ts';
import { systemClock as clock } from '../../src/kernel/clock.ts';
import { createLogger } from '../../src/kernel/logger.ts';
import { systemRandom as random } from '../../src/kernel/random.ts';
import { openDurable } from '../../src/storage/registry.ts';

export interface Person extends NewPerson {
  readonly password: string;
}

async function addPeople(directory: string, people: readonly Person[]): Promise<void> {
  const config = loadConfig(directory);
  const logger = createLogger('warn');
  const durable = await openDurable(config.storage.durable, { clock, logger });
  const accounts = createAccounts({ store: durable.accounts, clock, random });
  const passwords = createPasswordFactor({ store: durable.credentials, clock, random, logger, config });
  for (const { password, ...person } of people) {
    const account = await accounts.add(person);
    await passwords.set(account.id, password);
  }
  await passwords.close();
  await durable.close();
}

await addPeople(process.argv[2] ?? '', JSON.parse(await text(process.stdin)) as Person[]);
