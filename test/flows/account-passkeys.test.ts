import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SoftwareAuthenticator } from '../support/authenticator/index.ts';
import { PasskeyBrowser } from '../support/passkeys.ts';
import { clientFile } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';

const LIST = '/account/passkeys';
const HOUR = 3600;

let vestibule: Vestibule;
let visitor: Visitor;
let browser: PasskeyBrowser;
let username: string;
let people = 0;
const password = 'a-demo-password-of-some-length';

beforeAll(async () => {
  vestibule = await startVestibule({
    clients: [clientFile('mutuelle')],
    settings: { passkeys: { offer: { enabled: false } } },
  });
});
afterAll(() => vestibule.stop());

beforeEach(async () => {
  people += 1;
  username = `person-${people}`;
  await vestibule.addPerson({ username, password });
  visitor = new Visitor(vestibule);
  browser = new PasskeyBrowser(visitor, vestibule.issuer);
});

async function signInTo(path: string): Promise<void> {
  await visitor.visit(path);
  await visitor.submit({ username });
  await visitor.submit({ password });
}

const add = async (over: object = {}) => {
  const device = new SoftwareAuthenticator({ origin: vestibule.issuer, ...over });
  await visitor.visit(`${LIST}/add`);
  expect(visitor.page.step).toBe('account-passkey-add');
  await new PasskeyBrowser(visitor, vestibule.issuer, device).create();
  return device;
};
const names = () => visitor.page.links.map(({ text }) => text).filter((text) => /^(Delete|Rename)/.test(text));

test('who is not signed in signs in first, and comes back', async () => {
  await signInTo(LIST);
  expect([visitor.page.url.pathname, visitor.page.step]).toEqual([LIST, 'account-passkeys']);
  expect(visitor.page.text).toContain(username);
});

test('/account leads there', async () => {
  await signInTo('/account');
  expect(visitor.page.step).toBe('account-passkeys');
});

test('a passkey is added, named, listed, renamed and deleted', async () => {
  await signInTo(LIST);
  const device = await add({ aaguid: 'd548826e-79b4-db40-a3d8-11116f7e8349', synced: true });
  expect(visitor.page.step).toBe('account-passkey-name');
  expect(visitor.page.forms[0]?.fields.find(({ name }) => name === 'name')?.value).toBe('Bitwarden');
  await visitor.submit({ name: 'Work laptop' });
  expect(visitor.page.step).toBe('account-passkeys');
  expect(visitor.page.text).toContain('Work laptop');
  expect(visitor.page.text).toContain('Bitwarden');
  const id = String(device.credentials[0]?.id);

  // A password was enough to add the first; to take one away, its owner must show one.
  await visitor.visit(`${LIST}/${id}/delete`);
  expect(visitor.page.step).toBe('passkey');
  await new PasskeyBrowser(visitor, vestibule.issuer, device).use();
  expect(visitor.page.step).toBe('account-passkey-delete');
  expect(visitor.page.heading).toContain('Work laptop');
  await visitor.submit();
  expect(visitor.page.step).toBe('account-passkeys');
  expect(names()).toEqual([]);

  const later = new Visitor(vestibule);
  new PasskeyBrowser(later, vestibule.issuer, device);
  await later.visit(LIST);
  await later.submit({ username });
  expect(later.page.step).toBe('password');
});

test('several of one account stand beside each other; one device is asked for one only', async () => {
  await signInTo(LIST);
  const first = await add({ synced: true });
  const second = new SoftwareAuthenticator({ origin: vestibule.issuer });
  await visitor.visit(`${LIST}/add`);
  await new PasskeyBrowser(visitor, vestibule.issuer, first).use();
  const options = await browser.options<{ excludeCredentials: { id: string }[] }>();
  expect(options.excludeCredentials.map(({ id }) => id)).toEqual([first.credentials[0]?.id]);
  await new PasskeyBrowser(visitor, vestibule.issuer, second).create();
  await visitor.visit(LIST);
  expect(names().filter((name) => name.startsWith('Delete'))).toHaveLength(2);
});

test('the browser is told which passkeys count', async () => {
  await signInTo(LIST);
  const device = await add();
  await visitor.visit(LIST);
  const signals = visitor.page.attributesOf(({ attribs }) => attribs.id === 'passkey-signals');
  expect(signals).toMatchObject({ 'data-rp-id': 'localhost', 'data-name': username });
  expect(JSON.parse(signals?.['data-accepted'] ?? '')).toEqual([device.credentials[0]?.id]);
  expect(signals?.['data-user-id']).toBe(device.credentials[0]?.userHandle);
  expect(Buffer.from(signals?.['data-user-id'] ?? '', 'base64url')).toHaveLength(64);
});

describe('a fresh proof', () => {
  test('is asked to add a passkey when the sign-in was a while ago', async () => {
    await signInTo(LIST);
    await vestibule.advanceClock(HOUR);
    await visitor.visit(`${LIST}/add`);
    expect(visitor.page.step).toBe('password');
    await visitor.submit({ password });
    expect([visitor.page.step, visitor.page.url.pathname]).toEqual(['account-passkey-add', `${LIST}/add`]);
  });

  test('that grew old on the way is asked for again, and nothing is done meanwhile', async () => {
    await signInTo(`${LIST}/add`);
    const options = await browser.options<never>();
    await vestibule.advanceClock(HOUR);
    const told = await browser.hand(await browser.device.create(options));
    expect(String(told.body.location)).toMatch(/^\/auth\?/);
    expect(visitor.page.step).toBe('password');
    await visitor.submit({ password });
    await visitor.visit(LIST);
    expect(names()).toEqual([]);
  });

  test('is not needed to rename', async () => {
    await signInTo(LIST);
    const device = await add();
    await vestibule.advanceClock(HOUR);
    await visitor.visit(`${LIST}/${device.credentials[0]?.id}`);
    await visitor.submit({ name: 'Another name' });
    expect(visitor.page.text).toContain('Another name');
  });

  test('cancelled, changes nothing and leads back', async () => {
    await signInTo(LIST);
    await vestibule.advanceClock(HOUR);
    await visitor.visit(`${LIST}/add`);
    await visitor.choose('cancel');
    expect(visitor.page.step).toBe('account-passkeys');
  });

  test('that the browser can’t give is said in words', async () => {
    await signInTo(LIST);
    await add();
    browser.say('', vestibule.issuer);
    await visitor.visit(`${LIST}/add`);
    expect(visitor.page.step).toBe('account-refused');
  });
});

test.each([
  ['', 'left out'],
  ['   ', 'blank'],
  ['x'.repeat(61), 'too long'],
  ['a\u0000b', 'with a control character'],
])('a name %j (%s) is refused, and what was is kept', async (name, _what) => {
  await signInTo(LIST);
  const device = await add({ aaguid: 'd548826e-79b4-db40-a3d8-11116f7e8349' });
  await visitor.visit(`${LIST}/${device.credentials[0]?.id}`);
  await visitor.submit({ name });
  expect([visitor.page.status, visitor.page.step, visitor.page.error === undefined]).toEqual([
    400,
    'account-passkey-name',
    false,
  ]);
  await visitor.visit(LIST);
  expect(visitor.page.text).toContain('Bitwarden');
});

test('a passkey that is gone is a page that says so', async () => {
  await signInTo(LIST);
  await visitor.visit(`${LIST}/AAAAAAAAAAAAAAAAAAAAAA`);
  expect([visitor.page.status, visitor.page.step]).toEqual([404, 'error']);
});

test('nobody’s return address is believed', async () => {
  await signInTo(LIST);
  for (const state of [
    'https://evil.example/',
    '//evil.example',
    '/account/passkeys/../../evil',
    '/auth',
    '%0d%0aX: y',
  ]) {
    await visitor.visit(`/account/return?state=${encodeURIComponent(state)}`);
    expect(visitor.page.url.href).toBe(`${vestibule.issuer}${LIST}`);
  }
});
