import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { userinfo } from './support/http.ts';
import { alice, isSignedIn, mutuelle, signIn } from './support/people.ts';
import { databasePath, holdLock } from './support/storage.ts';

let vestibule: Vestibule;
let portal: Portal;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle], people: [alice], storage: 'sqlite' });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule?.stop());

async function atPassword(by: Visitor): Promise<void> {
  await by.visit(await portal.authorizationUrl());
  await by.submit({ username: 'alice' });
}

describe('56 fail-open storage in files', () => {
  test.each(['ephemeral', 'durable'] as const)(
    'another process holds the %s database: writers get 503, readers go on',
    async (half) => {
      const tokens = await portal.exchange(await signIn(new Visitor(vestibule), portal, alice));
      const somebody = new Visitor(vestibule);
      await atPassword(somebody);
      const letGo = holdLock(vestibule, half);
      try {
        const blocked = somebody.submit({ password: alice.password });
        expect((await userinfo(vestibule, tokens.access_token)).status).toBe(200);
        expect([(await blocked).status, Number((await blocked).headers['retry-after']) > 0]).toEqual([503, true]);
      } finally {
        letGo();
      }
      expect(await isSignedIn(somebody, portal)).toBe(false);
      await signIn(somebody, portal, alice);
      expect(await isSignedIn(somebody, portal)).toBe(true);
    },
  );

  test.each(['ephemeral', 'durable'] as const)(
    'the %s database is gone: not ready, so nobody is sent here',
    async (half) => {
      const ready = async (): Promise<number> => (await fetch(`${vestibule.operationsUrl}/health/ready`)).status;
      const path = databasePath(vestibule, half);
      expect(await ready()).toBe(200);
      await rename(path, `${path}.away`);
      expect(await ready()).toBe(503);
      expect((await fetch(`${vestibule.operationsUrl}/health/live`)).status).toBe(200);
      // Another file in its place is not the one the server writes to.
      await writeFile(path, '');
      expect(await ready()).toBe(503);
      await rename(`${path}.away`, path);
      expect(await ready()).toBe(200);
    },
  );

  test.each(['ephemeral', 'durable'] as const)('a broken %s database: no start', async (half) => {
    const broken = { [half]: { path: '../data/broken.db' } };
    await writeFile(join(vestibule.directory, '../data/broken.db'), 'this is no database'.repeat(1000));
    await vestibule.configure({ settings: { storage: broken }, files: {} });
    try {
      const { code, stderr } = await vestibule.command(['serve']);
      expect([code, stderr]).toEqual([1, expect.stringContaining('broken.db')]);
      expect(stderr).not.toMatch(/\n {4}at /);
    } finally {
      await vestibule.configure({ settings: { storage: { [half]: { path: `../data/${half}.db` } } } });
    }
  });
});
