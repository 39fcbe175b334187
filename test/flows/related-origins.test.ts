import { afterEach, expect, test } from '@jest/globals';
import { SoftwareAuthenticator } from '../support/authenticator/index.ts';
import { PasskeyBrowser } from '../support/passkeys.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';

const person = { username: 'anna', password: 'a-demo-password-of-some-length' };
const portal = 'https://portal.example';

let vestibule: Vestibule;
afterEach(() => vestibule.stop());

const wellKnown = () => fetch(`${vestibule.issuer}/.well-known/webauthn`);

/** @returns how a passkey made on a page of that origin is received */
async function create(origin: string): Promise<number> {
  const visitor = new Visitor(vestibule);
  const browser = new PasskeyBrowser(
    visitor,
    vestibule.issuer,
    new SoftwareAuthenticator({ origin: vestibule.issuer }),
  );
  await visitor.visit('/account/passkeys/add');
  await visitor.submit({ username: person.username });
  await visitor.submit({ password: person.password });
  if (visitor.page.step === 'offer-passkey') await visitor.choose('skip');
  return (await browser.create({ origin })).status;
}

test('related origins are published for their own servers; here only our own pages count', async () => {
  vestibule = await startVestibule({ people: [person], settings: { passkeys: { origins: [portal] } } });
  const answer = await wellKnown();
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  expect(await answer.json()).toEqual({ origins: [vestibule.issuer, portal] });
  expect(await create(portal)).toBe(400);
  expect(await create(vestibule.issuer)).toBe(200);
});

test('without any, nothing is published and nobody else’s origin is taken', async () => {
  vestibule = await startVestibule({ people: [person] });
  expect((await wellKnown()).status).toBe(404);
  expect(await create(portal)).toBe(400);
});
