import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../../support/portal.ts';
import { startVestibule, type Vestibule } from '../../support/vestibule.ts';

const DAY = 86_400;
const alice = { username: 'alice', password: 'alice-demo-password' };

// The other tests rely on what is said here of the server they start.
describe('the server under test', () => {
  const portal = clientFile('portal');
  let vestibule: Vestibule;

  beforeAll(async () => {
    vestibule = await startVestibule({ clients: [portal], people: [alice] });
  });

  afterAll(() => vestibule?.stop());

  test('is ready, at the address of its issuer', async () => {
    expect((await fetch(`${vestibule.operationsUrl}/health/ready`)).status).toBe(200);
    expect((await Portal.discover(vestibule, portal)).metadata.issuer).toBe(vestibule.issuer);
  });

  test('keeps people over a crash', async () => {
    await vestibule.addPerson({ ...alice, username: 'bruno' });
    await vestibule.kill();
    await expect(fetch(vestibule.issuer)).rejects.toThrow();
    await vestibule.restart();
    await expect(vestibule.addPerson({ ...alice, username: 'bruno' })).rejects.toThrow('username_taken');
  });

  test('moves its clock, and goes on from there when it is restarted', async () => {
    const before = vestibule.now();
    await vestibule.advanceClock(DAY);
    expect(vestibule.now() - before).toBeGreaterThanOrEqual(DAY * 1000);
    const seen = vestibule.logs.length;
    await fetch(`${vestibule.issuer}/.well-known/openid-configuration`);
    await vestibule.restart();
    const times = vestibule.logs.slice(seen).map(({ time }) => Date.parse(String(time)));
    expect(Math.max(...times)).toBeGreaterThanOrEqual(before + DAY * 1000);
    expect(Math.max(...times)).toBeLessThanOrEqual(vestibule.now());
    expect((await vestibule.logged('server.stopped')).time).toBeDefined();
  });

  test('answers commands on the same configuration', async () => {
    const keys = await vestibule.command(['keys', 'list']);
    expect(keys).toMatchObject({ code: 0, stderr: '' });
    expect(keys.stdout).toContain('RS256');
    expect((await vestibule.command(['people', 'frobnicate'])).code).toBe(2);
  });

  test('is stopped with its data removed', async () => {
    const other = await startVestibule();
    expect(await other.stop()).toBe(0);
    expect(existsSync(other.directory)).toBe(false);
  });

  test('says why when it does not start', async () => {
    await expect(startVestibule({ settings: { listne: {} } })).rejects.toThrow(/vestibule\.yaml.*listne/s);
  });
});
