import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';

const MFA = 'https://refeds.org/profile/mfa';

let vestibule: Vestibule;
beforeAll(async () => {
  vestibule = await startVestibule();
});
afterAll(() => vestibule.stop());

test('a person of whom two factors are demanded sets an app up on the way in', async () => {
  const { code, stdout } = await vestibule.command(['people', 'add', 'anna', '--minimum-acr', MFA, '--json']);
  const { password } = JSON.parse(stdout);
  expect([code, typeof password]).toEqual([0, 'string']);
  const visitor = new Visitor(vestibule);
  await visitor.visit('/account');
  await visitor.submit({ username: 'anna' });
  await visitor.submit({ password });
  expect(visitor.page.step).toBe('enrol-totp');
});

test('a level that the configuration does not name is refused', async () => {
  const { code, stderr } = await vestibule.command(['people', 'add', 'ben', '--minimum-acr', 'urn:unheard-of']);
  expect([code, stderr]).toEqual([1, expect.stringContaining('urn:unheard-of is none of assurance.levels')]);
});
