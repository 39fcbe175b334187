import { join } from 'node:path';
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import type { Config } from '../../src/config/config.ts';
import { serverSchema } from '../../src/config/schema/server.ts';
import { createCredentials } from '../../src/credentials/index.ts';
import { systemClock as clock } from '../../src/kernel/clock.ts';
import { createLogger } from '../../src/kernel/logger.ts';
import { systemRandom as random } from '../../src/kernel/random.ts';
import { SecretBox } from '../../src/kernel/secret-box.ts';
import { openDurable, openEphemeral } from '../../src/storage/registry.ts';
import { SoftwareAuthenticator } from '../../test/support/authenticator/index.ts';
import { median } from '../report/statistics.ts';

const ISSUER = 'http://localhost:3000';
const WARM_UP = 300;
const BATCHES = 15;
const BATCH = 40;

/**
 * CPU milliseconds of one assertion, from the browser's text to the outcome: parsing, the challenge's
 * single use, every check, the signature (ES256), counter and last use written to SQLite.
 * @param directory for the two databases
 */
export async function assertionCpuMs(directory: string): Promise<number> {
  const logger = createLogger('silent');
  const masterKeys = [random.bytes(32).toString('base64')];
  const config: Config = {
    ...serverSchema.parse({ issuer: ISSUER }),
    directory,
    masterKeys,
    clients: [],
    providers: [],
  };
  const context = { clock, logger };
  const durable = await openDurable({ engine: 'sqlite', path: join(directory, 'passkeys.db') }, context);
  const ephemeral = await openEphemeral({ engine: 'sqlite', path: join(directory, 'challenges.db') }, context);
  const { passkey, close } = createCredentials({
    store: durable.credentials,
    accounts: durable.accounts,
    challenges: ephemeral.artifacts,
    counters: ephemeral.counters,
    clock,
    random,
    secretBox: new SecretBox(masterKeys, random),
    logger,
    config,
  });
  const owner = { accountId: 'somebody', username: 'somebody' };
  const device = new SoftwareAuthenticator({ origin: ISSUER, synced: true });
  const registration = await device.create(await passkey.beginEnrolment('bench', owner, false));
  await passkey.enrol({
    binding: 'bench',
    ...owner,
    response: JSON.stringify(registration),
    userAgent: '',
    record: async () => [],
  });

  /** Made beforehand: the device's work is not the server's. */
  const assertions = async (count: number): Promise<AuthenticationResponseJSON[]> => {
    const made: AuthenticationResponseJSON[] = [];
    for (let index = 0; index < count; index += 1)
      made.push(await device.get(await passkey.begin('bench', { accountId: owner.accountId }, false)));
    return made;
  };
  const verify = async (responses: readonly AuthenticationResponseJSON[]): Promise<void> => {
    for (const response of responses) {
      const outcome = await passkey.verify({
        binding: 'bench',
        owner,
        verified: true,
        response: JSON.stringify(response),
      });
      if (!outcome.proven) throw new Error(`an assertion was refused: ${outcome.reason}`);
    }
  };

  await verify(await assertions(WARM_UP));
  const costs: number[] = [];
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const responses = await assertions(BATCH);
    const before = process.cpuUsage();
    await verify(responses);
    const { user, system } = process.cpuUsage(before);
    costs.push((user + system) / 1000 / BATCH);
  }
  await Promise.all([close(), durable.close(), ephemeral.close()]);
  return median(costs);
}
