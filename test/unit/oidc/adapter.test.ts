import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { systemClock } from '../../../src/kernel/clock.ts';
import { createLogger } from '../../../src/kernel/logger.ts';
import { systemRandom } from '../../../src/kernel/random.ts';
import { SecretBox } from '../../../src/kernel/secret-box.ts';
import { createAdapter } from '../../../src/oidc/adapter.ts';
import type { DurableStorage, EphemeralStorage } from '../../../src/storage/ports.ts';
import { openDurable, openEphemeral } from '../../../src/storage/registry.ts';

const logger = createLogger('silent');
const context = { clock: systemClock, logger };
let folder: string;
let durable: DurableStorage;
let ephemeral: EphemeralStorage;
let adapter: (kind: string) => Adapter;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vestibule-adapter-'));
  durable = await openDurable({ engine: 'sqlite', path: join(folder, 'durable.db') }, context);
  ephemeral = await openEphemeral({ engine: 'sqlite', path: join(folder, 'ephemeral.db') }, context);
  const secretBox = new SecretBox([systemRandom.bytes(32).toString('base64')]);
  adapter = createAdapter({
    durable: durable.artifacts,
    ephemeral: ephemeral.artifacts,
    secretBox,
    clock: systemClock,
  });
});

afterEach(async () => {
  await Promise.all([durable.close(), ephemeral.close()]);
  await rm(folder, { recursive: true });
});

const exp = Math.floor(Date.now() / 1000) + 60;
const code = (id: string, more: object = {}): AdapterPayload => ({
  jti: id,
  kind: 'AuthorizationCode',
  grantId: 'grant-1',
  exp,
  ...more,
});
const onDisk = async (): Promise<string> => {
  const files = ['durable.db', 'durable.db-wal', 'ephemeral.db', 'ephemeral.db-wal'];
  return (await Promise.all(files.map((name) => readFile(join(folder, name), 'latin1').catch(() => '')))).join('');
};

test('what was stored comes back, unknown members included', async () => {
  const codes = adapter('AuthorizationCode');
  await codes.upsert(
    'the-code',
    code('the-code', { claims: { id_token: { acr: null } }, invented: [1, { a: 'b' }] }),
    60,
  );
  expect(await codes.find('the-code')).toEqual(
    code('the-code', { claims: { id_token: { acr: null } }, invented: [1, { a: 'b' }] }),
  );
});

test('an id of one kind finds nothing of another', async () => {
  await adapter('AuthorizationCode').upsert('same', code('same'), 60);
  expect(await adapter('RefreshToken').find('same')).toBeUndefined();
  expect(await adapter('Interaction').find('same')).toBeUndefined();
});

test('of fifty simultaneous redemptions one wins, and the grant dies with the others', async () => {
  const grants = adapter('Grant');
  const codes = adapter('AuthorizationCode');
  await grants.upsert('grant-1', { jti: 'grant-1', kind: 'Grant', exp }, 60);
  await adapter('RefreshToken').upsert(
    'refresh',
    { jti: 'refresh', kind: 'RefreshToken', grantId: 'grant-1', exp },
    60,
  );
  await codes.upsert('once', code('once'), 60);
  const results = await Promise.allSettled(Array.from({ length: 50 }, () => codes.consume('once')));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(results.find((result) => result.status === 'rejected')?.reason).toMatchObject({ error: 'invalid_grant' });
  expect(await grants.find('grant-1')).toBeUndefined();
  expect(await adapter('RefreshToken').find('refresh')).toBeUndefined();
});

test('a replayed assertion is refused, also when two come at once', async () => {
  const replays = adapter('ReplayDetection');
  const both = await Promise.allSettled([
    replays.upsert('jti', { jti: 'jti', iss: 'client', exp }, 60),
    replays.upsert('jti', { jti: 'jti', iss: 'client', exp }, 60),
  ]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

describe('at rest', () => {
  test.each([
    'AccessToken',
    'RefreshToken',
    'AuthorizationCode',
    'Session',
    'DeviceCode',
    'PushedAuthorizationRequest',
    'InitialAccessToken',
  ])('the value of a %s is nowhere', async (kind) => {
    await adapter(kind).upsert(
      `canary-${kind}-value`,
      { jti: `canary-${kind}-value`, kind, exp, uid: 'u', userCode: 'CANARYUSERCODE' },
      60,
    );
    const disk = await onDisk();
    expect(disk).toContain(kind);
    expect(disk).not.toContain(`canary-${kind}-value`);
    expect(disk).not.toContain('CANARYUSERCODE');
  });

  test('neither the session cookie nor a device code in an interaction, nor a client secret, is in clear', async () => {
    await adapter('Interaction').upsert(
      'uid-1',
      {
        jti: 'uid-1',
        kind: 'Interaction',
        exp,
        session: { accountId: 'a', cookie: 'canary-cookie' },
        deviceCode: 'canary-device',
      },
      60,
    );
    await adapter('Client').upsert(
      'c1',
      { client_id: 'c1', client_secret: 'canary-client-secret' },
      undefined as never,
    );
    expect(await onDisk()).not.toMatch(/canary-(cookie|device|client-secret)/);
    expect(await adapter('Interaction').find('uid-1')).toMatchObject({
      deviceCode: 'canary-device',
      session: { accountId: 'a' },
    });
    expect(await adapter('Client').find('c1')).toEqual({ client_id: 'c1', client_secret: 'canary-client-secret' });
  });
});

test('a device code found by its user code can be saved under its own id', async () => {
  const devices = adapter('DeviceCode');
  await devices.upsert('device-1', { jti: 'device-1', kind: 'DeviceCode', userCode: 'ABCDEFGH', exp }, 60);
  const found = await devices.findByUserCode('ABCDEFGH');
  expect(found).toMatchObject({ jti: 'device-1', userCode: 'ABCDEFGH' });
  await devices.upsert('device-1', { ...found, accountId: 'alice' }, 60);
  expect(await devices.find('device-1')).toMatchObject({ accountId: 'alice' });
});

test.each(['Session', 'Grant', 'Interaction'])(
  'a %s that was ended stays so when a request under way saves it again',
  async (kind) => {
    const records = adapter(kind);
    const record = { jti: 'one', uid: 'uid-1', kind, exp } as AdapterPayload;
    await records.upsert('one', record, 60);
    expect(await records.find('one')).toMatchObject({ kind });
    await records.destroy('one');
    await records.upsert('one', record, 60);
    expect(await records.find('one')).toBeUndefined();
    expect(await records.findByUid('uid-1')).toBeUndefined();
  },
);

test('ending a session ends its twin, which two tabs that finished at the same moment made', async () => {
  const sessions = adapter('Session');
  for (const id of ['one', 'twin']) await sessions.upsert(id, { jti: id, uid: 'uid-1', kind: 'Session', exp }, 60);
  await sessions.upsert('another', { jti: 'another', uid: 'uid-2', kind: 'Session', exp }, 60);
  await sessions.destroy('one');
  expect(await sessions.find('twin')).toBeUndefined();
  expect(await sessions.findByUid('uid-1')).toBeUndefined();
  expect(await sessions.find('another')).toBeDefined();
});
