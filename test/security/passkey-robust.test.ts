import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/server';
import { PasskeyBrowser } from '../support/passkeys.ts';
import { Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { expectNothingChanges, passkeysOf, tokenOf } from './support/account-area.ts';
import { asked, crowd, deviceFor, enrolled, idOf, LIST, PASSWORD, type Place, passworded } from './support/passkeys.ts';
import { mutuelle } from './support/people.ts';
import { accountOf, takeAway, withDurable } from './support/storage.ts';

const MOST = 20;
const people = crowd(60);
let place: Place;
let vestibule: Vestibule;
let next = 0;
const fresh = (): string => people[next++]?.username ?? '';

beforeAll(async () => {
  vestibule = await startVestibule({
    breakable: true,
    clients: [mutuelle],
    people,
    settings: { limits: { address: { count: 10_000 } } },
  });
  place = { vestibule, portal: await Portal.discover(vestibule, mutuelle) };
});
afterAll(() => vestibule?.stop());

describe('several things at once', () => {
  test('of two last passkeys, deleted at the same moment, one stays', async () => {
    const username = fresh();
    const first = await enrolled(place, username);
    const browser = await asked(place, username, first.device);
    await browser.use();
    await browser.visitor.visit(`${LIST}/add`);
    await new PasskeyBrowser(browser.visitor, vestibule.issuer).create();
    const account = await accountOf(vestibule, { username });
    await withDurable(vestibule, async ({ credentials }) => {
      for (const { id } of await credentials.list(account, 'password'))
        await credentials.remove(account, 'password', id);
    });
    const ids = (await passkeysOf(vestibule, username)).map(({ id }) => id);
    expect(ids).toHaveLength(2);
    const _csrf = await tokenOf(browser, idOf(first));
    const answers = await Promise.all(
      [...ids, ...ids, ...ids].map((id) =>
        browser.visitor.request(
          'POST',
          new URL(`${LIST}/${id}/delete`, vestibule.issuer),
          new URLSearchParams({ _csrf }).toString(),
          { origin: vestibule.issuer },
        ),
      ),
    );
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
    expect(answers.some(({ status }) => status === 409)).toBe(true);
    expect(await passkeysOf(vestibule, username)).toHaveLength(1);
  });

  test('many registrations together make no more passkeys than an account can hold', async () => {
    const username = fresh();
    const browser = await passworded(place, username);
    const { pathname } = browser.visitor.page.url;
    const registrations = [];
    for (let n = 0; n < MOST + 10; n++) {
      const options = await browser.options<PublicKeyCredentialCreationOptionsJSON>();
      registrations.push(JSON.stringify(await deviceFor(vestibule).create(options)));
    }
    await Promise.all(registrations.map((credential) => browser.send(pathname, { credential })));
    const { length } = await passkeysOf(vestibule, username);
    expect(length).toBeLessThanOrEqual(MOST);
    // Those that found no room took none away.
    const later = await asked(place, username);
    expect(later.visitor.page.step).toBe(length > 0 ? 'passkey' : 'password');
  });
});

describe('56 fail-open storage', () => {
  test.each([
    ['ephemeral', 'artifacts'],
    ['durable', 'credentials'],
    ['durable', 'accounts'],
    ['durable', 'audit_events'],
    ['ephemeral', 'counters'],
  ] as const)('without the %s %s a passkey signs nobody in: 503; with it again it does', async (half, table) => {
    const username = fresh();
    const { device } = await enrolled(place, username);
    const browser = await asked(place, username, device);
    const response = await device.get(await browser.options());
    const { pathname } = browser.visitor.page.url;
    const putBack = await takeAway(vestibule, half, table);
    const told = await browser.send(pathname, { credential: JSON.stringify(response) }).finally(putBack);
    expect([told.status, told.type.startsWith('application/problem+json')]).toEqual([503, true]);
    await browser.visitor.visit(pathname);
    expect(browser.visitor.page.step).toBe('passkey');
    expect((await browser.use()).status).toBe(200);
  });

  test('what can’t be recorded adds no passkey', async () => {
    const username = fresh();
    const browser = await passworded(place, username);
    const response = await browser.device.create(await browser.options());
    const putBack = await takeAway(vestibule, 'durable', 'audit_events');
    const told = await browser.hand(response).finally(putBack);
    expect(told.status).toBe(503);
    expect(await passkeysOf(vestibule, username)).toEqual([]);
  });
});

test('48 a name is shown as it is, and runs nowhere', async () => {
  const browser = await enrolled(place, fresh());
  await browser.visitor.visit(`${LIST}/${idOf(browser)}`);
  const name = '"><img src=x onerror=alert(1)> <%= 7 * 7 %>';
  await browser.visitor.submit({ name });
  expect([browser.visitor.page.status, browser.visitor.page.step]).toEqual([200, 'account-passkeys']);
  expect(browser.visitor.page.body).not.toContain('<img src=x');
  expect(browser.visitor.page.text).toContain(name);
});

test.each([
  ['a line feed', '\n'],
  ['a line separator', '\u2028'],
  ['a paragraph separator', '\u2029'],
  ['a next line', '\u0085'],
])('a name with %s writes no line of its own into the log', async (_what, separator) => {
  const browser = await enrolled(place, fresh());
  await browser.visitor.visit(`${LIST}/${idOf(browser)}`);
  await browser.visitor.submit({ name: `x${separator}{"event":"forged.line"}` });
  expect([browser.visitor.page.status, browser.visitor.page.step]).toEqual([400, 'account-passkey-name']);
  expect(vestibule.logs.filter(({ event }) => event === 'forged.line')).toEqual([]);
});

test('43 passkeys that the operator switched off sign nobody in, not even on a page from before', async () => {
  const [username, other] = [fresh(), fresh()];
  const { device } = await enrolled(place, username);
  const browser = await asked(place, undefined, device);
  const pathname = `${browser.visitor.page.url.pathname}/identify`;
  const response = await device.get(await browser.options());
  const offered = await passworded(place, other);
  const registration = await offered.device.create(await offered.options());
  await vestibule.configure({ settings: { passkeys: { enabled: false } } });
  await vestibule.restart();
  try {
    const told = await browser.send(pathname, { credential: JSON.stringify(response) });
    expect(told).toMatchObject({ status: 400, body: { code: 'passkey_refused' } });
    expect((await browser.send(`${pathname}/options`, {})).status).toBe(404);
    await offered.hand(registration);
    expect(await passkeysOf(vestibule, other)).toEqual([]);
    const visitor = new Visitor(vestibule);
    await visitor.visit(`${LIST}/add`);
    await visitor.submit({ username: other });
    await visitor.submit({ password: PASSWORD });
    const area = new PasskeyBrowser(visitor, vestibule.issuer);
    const options = await area.send(`${LIST}/add/options`, {});
    expect([options.status, options.body.challenge]).toEqual([404, undefined]);
    // 4: nor is a password enough to delete them meanwhile.
    await expectNothingChanges(vestibule, await passworded(place, username), username);
  } finally {
    await vestibule.configure({ settings: { passkeys: { enabled: true } } });
    await vestibule.restart();
  }
  expect((await (await asked(place, username, device)).use()).status).toBe(200);
});
