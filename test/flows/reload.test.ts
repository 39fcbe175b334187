import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';

const mutuelle = clientFile('mutuelle');
const newcomer = clientFile('newcomer');
let vestibule: Vestibule;

beforeAll(async () => {
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: [{ username: 'alice', password: 'alice-demo-password' }],
  });
});
afterAll(() => vestibule.stop());

test('SIGHUP takes changed files into use without ending a sign-in under way, and refuses broken ones', async () => {
  const portal = await Portal.discover(vestibule, mutuelle);
  const visitor = new Visitor(vestibule);
  await visitor.visit(await portal.authorizationUrl());
  await visitor.submit({ username: 'alice' });

  await vestibule.configure({
    clients: [mutuelle, newcomer],
    settings: { lifetimes: { access_token: '5m' }, passwords: { min_length: 20 } },
  });
  vestibule.signal('SIGHUP');
  const line = await vestibule.logged('config.reloaded');
  expect(line).toMatchObject({ clients: 2, needs_restart: ['passwords'] });

  await visitor.submit({ password: 'alice-demo-password' });
  const tokens = await portal.exchange(visitor.left);
  expect(tokens.expires_in).toBe(300);
  const other = await Portal.discover(vestibule, newcomer);
  await visitor.visit(await other.authorizationUrl());
  await other.exchange(visitor.left);

  await writeFile(join(vestibule.directory, 'clients', 'broken.yaml'), 'client_id: broken\nredirect_uri: x\n');
  vestibule.signal('SIGHUP');
  for (let tries = 0; tries < 200 && !vestibule.complaints.includes('not reloaded'); tries += 1) {
    await new Promise((done) => setTimeout(done, 25));
  }
  expect(vestibule.complaints).toMatch(/not reloaded[\s\S]*broken\.yaml:2/);
  await visitor.visit(await other.authorizationUrl());
  await other.exchange(visitor.left);
});
