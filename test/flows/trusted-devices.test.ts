import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import { codeOf, crowd, keyOn, MFA, nextCode, passPassword, SECRET, SFA, withApp } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { errorAt } from './arrange.ts';

const DAY = 86_400;
const COOKIE = 'vestibule_device';

const mutuelle = clientFile('mutuelle');
const strict = clientFile('strict', { vestibule: { first_party: true, minimum_acr: MFA } });
const lenient = clientFile('lenient', {
  vestibule: { first_party: true, minimum_acr: MFA, trusted_device_suffices: true },
});
const clients = [mutuelle, strict, lenient];
const people = crowd({ app: withApp, demanded: { ...withApp, minimumAcr: MFA }, other: withApp }, 25);

let vestibule: Vestibule;
let visitor: Visitor;
const portals = new Map<string, Portal>();
const at = (clientId: string): Portal => portals.get(clientId) as Portal;

beforeAll(async () => {
  const settings = { trusted_devices: { enabled: true } };
  vestibule = await startVestibule({ settings, clients, people: people.everybody });
  for (const file of clients) portals.set(file.client_id, await Portal.discover(vestibule, file));
});
afterAll(() => vestibule.stop());
beforeEach(async () => {
  visitor = new Visitor(vestibule);
  await nextCode(vestibule);
});

const fieldsOn = ({ page }: Visitor) => page.forms.flatMap(({ names }) => names);
type Parameters = Readonly<Record<string, string>>;
const claimsOf = async (portal = at('mutuelle')) => (await portal.exchange(visitor.left)).claims();

/** A new sign-in in this browser, up to what comes after the password. */
async function begin(person: Person, parameters: Parameters = {}, portal = at('mutuelle')): Promise<void> {
  visitor.cookies.clear('vestibule_session');
  await visitor.visit(await portal.authorizationUrl(parameters));
  await passPassword(visitor, person);
}

/** Signs in with both factors, and says "Don't ask on this device". */
async function trust(person: Person): Promise<void> {
  await begin(person);
  expect(fieldsOn(visitor)).toContain('trust');
  await visitor.submit({ code: await codeOf(vestibule), trust: 'yes' });
  expect(errorAt(visitor.left)).toBeNull();
  await nextCode(vestibule);
}

describe('a trusted device', () => {
  test('is not asked for the code for thirty days, and then again', async () => {
    const person = people.next('app');
    await trust(person);
    for (const days of [0, 1, 28]) {
      await vestibule.advanceClock(days * DAY);
      await begin(person);
      expect(await claimsOf()).toMatchObject({ amr: ['pwd'], acr: SFA });
    }
    await vestibule.advanceClock(2 * DAY);
    await begin(person);
    expect(visitor.page.step).toBe('totp');
  });

  test('the first sign-in says what was performed', async () => {
    await trust(people.next('app'));
    expect(await claimsOf()).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: MFA });
  });

  test('is one browser: its cookie is out of reach of scripts, and says nothing', async () => {
    const person = people.next('app');
    await trust(person);
    const cookie = visitor.cookies.all.find(({ name }) => name === COOKIE);
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'lax', path: '/' });
    expect(cookie?.value).not.toContain(person.username);
    visitor = new Visitor(vestibule);
    await begin(person);
    expect(visitor.page.step).toBe('totp');
  });

  test.each(['', 'x', 'made-up-value-of-27-letters', '../../etc/passwd'])(
    'a cookie of "%s" is nothing',
    async (value) => {
      visitor.cookies.store(new URL(vestibule.issuer), [`${COOKIE}=${value}; Path=/`]);
      await begin(people.next('app'));
      expect(visitor.page.step).toBe('totp');
    },
  );

  test('is one account: somebody else is asked in the same browser, and may trust it, too', async () => {
    const [one, other] = [people.next('app'), people.next('other')];
    await trust(one);
    await begin(other);
    expect(visitor.page.step).toBe('totp');
    await trust(other);
    for (const person of [one, other]) {
      await begin(person);
      expect((await claimsOf())?.amr).toEqual(['pwd']);
    }
  });

  test('never takes the place of the password', async () => {
    const person = people.next('app');
    await trust(person);
    visitor.cookies.clear('vestibule_session');
    await visitor.visit(await at('mutuelle').authorizationUrl());
    await visitor.submit({ username: person.username });
    await visitor.submit({ password: 'something-else-altogether' });
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'password']);
  });

  test('is not asked for: whoever does not tick the box is asked the next time', async () => {
    const person = people.next('app');
    await begin(person);
    await visitor.submit({ code: await codeOf(vestibule) });
    expect(visitor.cookies.all.some(({ name }) => name === COOKIE)).toBe(false);
    await begin(person);
    expect(visitor.page.step).toBe('totp');
  });

  test('is not made by a wrong code', async () => {
    const person = people.next('app');
    await begin(person);
    await visitor.submit({ code: '000000', trust: 'yes' });
    await begin(person);
    expect(visitor.page.step).toBe('totp');
  });

  test('stands in for what the account’s own setting demands', async () => {
    const person = people.next('demanded');
    await trust(person);
    await begin(person);
    expect((await claimsOf())?.amr).toEqual(['pwd']);
    // The session goes on without asking again.
    await visitor.visit(await at('mutuelle').authorizationUrl({ prompt: 'none' }));
    expect((await claimsOf())?.amr).toEqual(['pwd']);
  });
});

describe('a request that demands two factors', () => {
  const essential = JSON.stringify({ id_token: { acr: { essential: true, value: MFA } } });
  const DEMANDS: readonly (readonly [string, Parameters, string])[] = [
    ['acr_values', { acr_values: MFA }, 'mutuelle'],
    ['an essential claim', { claims: essential }, 'mutuelle'],
    ['the client’s file', {}, 'strict'],
  ];
  test.each(DEMANDS)('by %s gets them, whatever device it is', async (_how, parameters, client) => {
    const person = people.next('app');
    await trust(person);
    await begin(person, parameters, at(client));
    expect(visitor.page.step).toBe('totp');
    await visitor.submit({ code: await codeOf(vestibule) });
    expect(await claimsOf(at(client))).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: MFA });
  });

  test('steps up from a session that a trusted device helped to begin', async () => {
    const person = people.next('app');
    await trust(person);
    await begin(person);
    await visitor.visit(await at('mutuelle').authorizationUrl({ acr_values: MFA }));
    expect(visitor.page.step).toBe('totp');
  });

  test.each([{}, { acr_values: MFA }])(
    'is content with the device where the client’s file says so: %j',
    async (more) => {
      const person = people.next('app');
      await trust(person);
      await begin(person, more, at('lenient'));
      const claims = await claimsOf(at('lenient'));
      // What was not performed is not claimed.
      expect(claims).toMatchObject({ amr: ['pwd'], acr: SFA });
      await visitor.visit(await at('lenient').authorizationUrl({ ...more, prompt: 'none' }));
      expect(errorAt(visitor.left)).toBeNull();
      // But another browser is asked there as everywhere.
      visitor = new Visitor(vestibule);
      await begin(person, more, at('lenient'));
      expect(visitor.page.step).toBe('totp');
    },
  );
});

describe('is void', () => {
  test('once it was revoked in the account area, where it is listed', async () => {
    const person = people.next('app');
    await trust(person);
    await visitor.visit('/account/two-factor');
    expect(visitor.page.text).toContain('Firefox');
    expect(visitor.page.body).not.toContain(visitor.cookies.all.find(({ name }) => name === COOKIE)?.value);
    await visitor.submit({}, { button: 'forget' });
    expect([visitor.page.step, visitor.page.text.includes('Firefox')]).toEqual(['account-two-factor', false]);
    await begin(person);
    expect(visitor.page.step).toBe('totp');
  });

  test.each(['replaced', 'turned off and on again'])('after the app was %s', async (how) => {
    const person = people.next('app');
    await trust(person);
    const changer = visitor;
    visitor = new Visitor(vestibule);
    await visitor.visit('/account/two-factor/app');
    await passPassword(visitor, person);
    await visitor.submit({ code: await codeOf(vestibule) });
    await nextCode(vestibule);
    if (how !== 'replaced') {
      await visitor.visit('/account/two-factor/off');
      await visitor.submit();
      await visitor.visit('/account/two-factor/app');
    }
    const key = keyOn(visitor.page);
    await visitor.submit({ code: await codeOf(vestibule, key) });
    await nextCode(vestibule);
    visitor = changer;
    await begin(person);
    expect(visitor.page.step).toBe('totp');
    await visitor.submit({ code: await codeOf(vestibule, key) });
    expect(errorAt(visitor.left)).toBeNull();
  });

  test('after an operator reset the factors', async () => {
    const person = people.next('app');
    await trust(person);
    const { code } = await vestibule.command(['people', 'reset-factors', person.username, '--verified-by', 'a test']);
    expect(code).toBe(0);
    await begin(person, { acr_values: MFA }, at('lenient'));
    expect(visitor.page.step).toBe('enrol-totp');
  });
});

test('where the operator wants none, no box is shown and none is trusted', async () => {
  const plain = await startVestibule({
    clients: [mutuelle],
    people: [{ username: 'alice', password: 'alice-demo-password', totp: { secret: SECRET } }],
  });
  try {
    const portal = await Portal.discover(plain, mutuelle);
    const by = new Visitor(plain);
    for (let times = 0; times < 2; times += 1) {
      await by.visit(await portal.authorizationUrl());
      await passPassword(by, { username: 'alice', password: 'alice-demo-password' });
      expect([by.page.step, fieldsOn(by).includes('trust')]).toEqual(['totp', false]);
      await by.submit({ code: await codeOf(plain) }, { extra: { trust: 'yes' } });
      expect(errorAt(by.left)).toBeNull();
      by.cookies.clear('vestibule_session');
      await nextCode(plain);
    }
  } finally {
    await plain.stop();
  }
});
