import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from '@jest/globals';
import { startVestibule } from '../support/vestibule.ts';

/** Less than requests under way are given to finish. */
const SOON = 5_000;

test('a connection that a browser opened ahead of need does not hold up the end', async () => {
  const vestibule = await startVestibule();
  const unused = connect(vestibule.port, '127.0.0.1');
  await once(unused, 'connect');
  // Answered after it was accepted, so the server knows the unused one by now.
  await fetch(`${vestibule.issuer}/jwks`).then((answer) => answer.arrayBuffer());
  const asked = performance.now();
  expect(await vestibule.stop()).toBe(0);
  expect(performance.now() - asked).toBeLessThan(SOON);
  unused.destroy();
});
