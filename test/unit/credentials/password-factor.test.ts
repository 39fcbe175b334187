import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import bcrypt from 'bcryptjs';
import { type Credentials, createCredentials } from '../../../src/credentials/index.ts';
import { systemClock as clock } from '../../../src/kernel/clock.ts';
import { createLogger } from '../../../src/kernel/logger.ts';
import { systemRandom as random } from '../../../src/kernel/random.ts';
import type { DurableStorage } from '../../../src/storage/ports.ts';
import { openDurable } from '../../../src/storage/registry.ts';

const logger = createLogger('silent');
const settings = {
  hash: 'argon2id' as const,
  argon2id: { memory_kib: 8192, iterations: 1, parallelism: 1 },
  bcrypt: { cost: 10 },
  min_length: 15,
  queue: { waiting: 64 },
};
const OLD = 'a password from before';

let folder: string;
let durable: DurableStorage;
let credentials: Credentials;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vestibule-password-'));
  durable = await openDurable({ engine: 'sqlite', path: join(folder, 'durable.db') }, { clock, logger });
  credentials = createCredentials({ store: durable.credentials, clock, random, logger, settings });
});

afterEach(async () => {
  await credentials.close();
  await durable.close();
  await rm(folder, { recursive: true });
});

const stored = async () => (await durable.credentials.find('anna', 'password', 'password'))?.data ?? '';

test('a bcrypt hash of an older system signs in, and is renewed at that login', async () => {
  await credentials.password.setHash('anna', bcrypt.hashSync(OLD, 4));
  expect(await credentials.password.verify('anna', OLD)).toEqual({ proven: true });
  await credentials.close();
  expect(await stored()).toMatch(/^\$argon2id\$/);
  expect(await credentials.password.verify('anna', OLD)).toEqual({ proven: true });
});

test('a wrong password renews nothing', async () => {
  const hash = bcrypt.hashSync(OLD, 4);
  await credentials.password.setHash('anna', hash);
  expect(await credentials.password.verify('anna', 'not it')).toEqual({ proven: false, problem: 'wrong_password' });
  await credentials.close();
  expect(await stored()).toBe(hash);
});

test('a renewal never overwrites a password that was changed meanwhile', async () => {
  await credentials.password.setHash('anna', bcrypt.hashSync(OLD, 4));
  await credentials.password.verify('anna', OLD);
  await credentials.password.set('anna', 'the new one, long enough');
  await credentials.close();
  expect(await credentials.password.verify('anna', 'the new one, long enough')).toEqual({ proven: true });
  expect(await credentials.password.verify('anna', OLD)).toMatchObject({ proven: false });
});

test.each([
  ['', 'password_required'],
  ['x'.repeat(257), 'password_too_long'],
])('%j is refused before anything is hashed', async (password, problem) => {
  await credentials.password.set('anna', 'the password of anna');
  const busy = Array.from({ length: 64 }, () => credentials.password.verify('anna', 'something else'));
  expect(await credentials.password.verify('anna', password)).toEqual({ proven: false, problem });
  await Promise.all(busy);
});

test('a new password is long enough, and not longer than can be kept whole', () => {
  expect(() => credentials.password.check('fourteen chars')).toThrow(
    expect.objectContaining({ code: 'password_too_short' }),
  );
  expect(() => credentials.password.check('x'.repeat(257))).toThrow(
    expect.objectContaining({ code: 'password_too_long' }),
  );
  const withBcrypt = createCredentials({
    store: durable.credentials,
    clock,
    random,
    logger,
    settings: { ...settings, hash: 'bcrypt' },
  });
  expect(() => withBcrypt.password.check('é'.repeat(37))).toThrow(
    expect.objectContaining({ code: 'password_too_long' }),
  );
});
