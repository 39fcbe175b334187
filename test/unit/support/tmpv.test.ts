import { expect, test } from '@jest/globals';
import { startVestibule } from '../../support/vestibule.ts';
import { clientFile } from '../../support/portal.ts';
test('x', async () => {
  const t0 = performance.now();
  const v = await startVestibule({ program: '/tmp/serve.ts', clients: [clientFile('p')], people: [{ username: 'alice', password: 'alice-long-password', email: 'a@example.org' }] });
  console.log(performance.now() - t0, v.issuer, v.directory);
  await expect(v.addPerson({ username: 'alice', password: 'alice-long-password' })).rejects.toThrow('username_taken');
  await v.logged('server.started');
  await v.restart();
  await v.kill();
  await v.restart();
  expect(await v.stop()).toBe(0);
});
