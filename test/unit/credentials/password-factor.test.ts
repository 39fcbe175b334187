import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import bcrypt from 'bcryptjs';
import { createPasswordFactor, type PasswordFactor } from '../../../src/credentials/index.ts';
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
  min_length_with_more: 8,
  queue: { waiting: 64 },
};
const OLD = 'a password from before';

let folder: string;
let durable: DurableStorage;
let passwords: PasswordFactor;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vestibule-password-'));
  durable = await openDurable({ engine: 'sqlite', path: join(folder, 'durable.db') }, { clock, logger });
  passwords = createPasswordFactor({
    store: durable.credentials,
    clock,
    random,
    logger,
    config: { passwords: settings },
  });
});

afterEach(async () => {
  await passwords.close();
  await durable.close();
  await rm(folder, { recursive: true });
});

const stored = async () => (await durable.credentials.find('anna', 'password', 'password'))?.data ?? '';

test('a bcrypt hash of an older system signs in, and is renewed at that login', async () => {
  await passwords.setHash('anna', bcrypt.hashSync(OLD, 4));
  expect(await passwords.verify('anna', OLD)).toEqual({ proven: true });
  await passwords.close();
  expect(await stored()).toMatch(/^\$argon2id\$/);
  expect(await passwords.verify('anna', OLD)).toEqual({ proven: true });
});

test('a wrong password renews nothing', async () => {
  const hash = bcrypt.hashSync(OLD, 4);
  await passwords.setHash('anna', hash);
  expect(await passwords.verify('anna', 'not it')).toEqual({ proven: false, problem: 'wrong_password' });
  await passwords.close();
  expect(await stored()).toBe(hash);
});

test('a renewal never overwrites a password that was changed meanwhile', async () => {
  await passwords.setHash('anna', bcrypt.hashSync(OLD, 4));
  await passwords.verify('anna', OLD);
  await passwords.set('anna', 'the new one, long enough');
  await passwords.close();
  expect(await passwords.verify('anna', 'the new one, long enough')).toEqual({ proven: true });
  expect(await passwords.verify('anna', OLD)).toMatchObject({ proven: false });
});

test.each([
  ['', 'password_required'],
  ['x'.repeat(257), 'password_too_long'],
])('%j is refused before anything is hashed', async (password, problem) => {
  await passwords.set('anna', 'the password of anna');
  const busy = Array.from({ length: 64 }, () => passwords.verify('anna', 'something else'));
  expect(await passwords.verify('anna', password)).toEqual({ proven: false, problem });
  await Promise.all(busy);
});

test('what can not be kept whole is never set', async () => {
  const tooLong = expect.objectContaining({ code: 'password_too_long' });
  await expect(passwords.set('anna', 'x'.repeat(257))).rejects.toEqual(tooLong);
  const withBcrypt = createPasswordFactor({
    store: durable.credentials,
    clock,
    random,
    logger,
    config: { passwords: { ...settings, hash: 'bcrypt' } },
  });
  await expect(withBcrypt.set('anna', 'é'.repeat(37))).rejects.toEqual(tooLong);
});

test('a new password is only set when its trail was left, and the mails of the trail are owed with it', async () => {
  await passwords.set('anna', OLD);
  const lost = () => Promise.reject(new Error('no trail'));
  await expect(passwords.set('anna', 'never to be set', lost)).rejects.toThrow('no trail');
  expect(await passwords.verify('anna', OLD)).toEqual({ proven: true });
  const mail = { id: 'm', kind: 'notice', payload: {}, urgent: false, createdAt: 1 };
  await passwords.set('anna', 'a new one that counts', async () => [mail]);
  expect(await durable.outbox.count()).toEqual({ waiting: 1, dead: 0 });
});
