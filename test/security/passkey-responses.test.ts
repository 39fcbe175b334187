import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AuthenticationResponseJSON, PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server';
import type { AssertionTamper } from '../support/authenticator/index.ts';
import type { PasskeyBrowser } from '../support/passkeys.ts';
import { Portal } from '../support/portal.ts';
import { startVestibule } from '../support/vestibule.ts';
import {
  asked,
  crowd,
  deviceFor,
  enrolled,
  expectNoKeyMaterial,
  expectRefusal,
  idOf,
  MFA,
  type Place,
  stepCount,
} from './support/passkeys.ts';
import { mutuelle } from './support/people.ts';

const people = crowd(3);
const [{ username: owner } = { username: '' }, { username: other } = { username: '' }] = people;

let place: Place;
let mine: PasskeyBrowser;
let others: PasskeyBrowser;

beforeAll(async () => {
  const vestibule = await startVestibule({
    clients: [mutuelle],
    people,
    settings: { log: { level: 'trace' }, limits: { address: { count: 10_000 } } },
  });
  place = { vestibule, portal: await Portal.discover(vestibule, mutuelle) };
  mine = await enrolled(place, owner);
  others = await enrolled(place, other);
});
afterAll(() => place?.vestibule.stop());

const { stringify } = JSON;
const optionsOf = (browser: PasskeyBrowser) => browser.options<PublicKeyCredentialRequestOptionsJSON>();
/** Where the browser says it was, for a server at this port. */
type At = (port: number) => string;

/** What each page refuses alike. */
const LIES: readonly (readonly [what: string, tamper: AssertionTamper | { origin: At }, reason: string])[] = [
  ['another origin', { origin: 'https://evil.example' }, 'origin'],
  ['an origin that ends like ours', { origin: (port) => `http://badlocalhost:${port}` }, 'origin'],
  ['an origin that begins like ours', { origin: (port) => `http://localhost.evil.example:${port}` }, 'origin'],
  ['an origin with ours as user name', { origin: (port) => `http://localhost:${port}@evil.example` }, 'origin'],
  ['an origin with more digits in the port', { origin: (port) => `http://localhost:${port}0` }, 'origin'],
  ['another scheme', { origin: (port) => `https://localhost:${port}` }, 'origin'],
  ['our address in place of our origin', { origin: (port) => `http://localhost:${port}/` }, 'origin'],
  ['an opaque origin', { origin: 'null' }, 'origin'],
  ['another relying party', { rpId: 'evil.example' }, 'rp_id'],
  ['a relying party that ends like ours', { rpId: 'badlocalhost' }, 'rp_id'],
  ['nobody present', { flags: { up: false } }, 'user_presence'],
  ['nobody present but verified', { flags: { up: false, uv: true } }, 'user_presence'],
  ['a registration’s type', { type: 'webauthn.create' }, 'type'],
  ['a payment’s type', { type: 'payment.get' }, 'type'],
  ['made in a frame of another site', { crossOrigin: true }, 'malformed'],
  ['made below another site', { crossOrigin: true, topOrigin: 'https://evil.example' }, 'malformed'],
  ['a top origin without a frame', { topOrigin: 'https://evil.example' }, 'malformed'],
  ['an altered signature', { altered: 'signature' }, 'signature'],
  ['altered authenticator data', { altered: 'authenticatorData' }, 'signature'],
  ['altered client data', { altered: 'clientData' }, 'signature'],
  ['another’s user handle', { userHandle: Buffer.alloc(64, 7).toString('base64url') }, 'user_handle'],
  ['a counter that stands still', { counter: 1 }, 'counter'],
  ['a counter set to nothing', { counter: 0 }, 'counter'],
  ['a device-bound key that says it may be copied', { flags: { be: true } }, 'backup_eligibility'],
  ['a key that says it was copied', { flags: { be: true, bs: true } }, 'backup_eligibility'],
  ['copied though it can’t be', { flags: { bs: true } }, 'malformed'],
  ['bytes after the authenticator data', { excess: { authenticatorData: 9 } }, 'malformed'],
  ['client data beyond its limit', { excess: { clientData: 5000 } }, 'malformed'],
];

describe.each([
  ['passkey', owner],
  ['identify', undefined],
] as const)('8 WebAuthn origin: on the page "%s"', (step, username) => {
  const lie = async (tamper: (typeof LIES)[number][1]): Promise<AssertionTamper> => {
    const { origin } = tamper;
    return typeof origin === 'function' ? { origin: origin(place.vestibule.port) } : ({ ...tamper } as AssertionTamper);
  };

  test.each(LIES)('%s is refused, and the next honest try signs in', async (_what, tamper, reason) => {
    const { vestibule } = place;
    // A counter needs a use to go back behind.
    await (await asked(place, owner, mine.device)).use();
    const browser = await asked(place, username, mine.device);
    expect(browser.visitor.page.step).toBe(step);
    const response = await mine.device.get(await optionsOf(browser), await lie(tamper));
    await expectRefusal(vestibule, browser, response, { step, code: 'passkey_refused', reason });
    expect(browser.visitor.page.step).toBe(step);
    expect((await browser.use()).status).toBe(200);
    expect(browser.visitor.left.searchParams.has('code')).toBe(true);
  });

  test('without fingerprint, face or PIN where they are demanded', async () => {
    const browser = await asked(place, username, mine.device, { acr_values: MFA });
    const response = await mine.device.get(await optionsOf(browser), { flags: { uv: false } });
    const refusal = { step, code: 'passkey_not_verified', reason: 'user_verification' };
    await expectRefusal(place.vestibule, browser, response, refusal);
    await browser.use();
    const tokens = await place.portal.exchange(browser.visitor.left);
    expect(tokens.claims()).toMatchObject({ acr: 'phr', amr: ['hwk', 'user', 'mfa'] });
  });

  test('another’s credential id over one’s own signature', async () => {
    const browser = await asked(place, username, mine.device);
    const response = await mine.device.get(await optionsOf(browser), { id: idOf(others) });
    const reason = username === undefined ? 'signature' : 'other_account';
    await expectRefusal(place.vestibule, browser, response, { step, code: 'passkey_refused', reason });
  });

  test('one’s own credential id over another’s signature', async () => {
    const browser = await asked(place, username, mine.device);
    const [signedBy] = others.device.credentials;
    if (!signedBy) throw new Error('there is no other');
    const response = await mine.device.get(await optionsOf(browser), { signedBy });
    await expectRefusal(place.vestibule, browser, response, { step, code: 'passkey_refused', reason: 'signature' });
  });

  test('an assertion of a registered key with a body too large for any page', async () => {
    const browser = await asked(place, username, mine.device);
    const response = await mine.device.get(await optionsOf(browser), { excess: { clientData: 20_000 } });
    const told = await browser.hand(response);
    expect(told).toMatchObject({ status: 413, body: { status: 413, code: 'too_large' } });
    expect([told.type.startsWith('application/problem+json'), String(told.body.detail) !== '']).toEqual([true, true]);
    expectNoKeyMaterial(place.vestibule, response);
    expect((await browser.use()).status).toBe(200);
  });
});

test('8 another person’s passkey does not sign in under a name it does not belong to', async () => {
  const browser = await asked(place, owner, others.device);
  const { allowCredentials: _, ...options } = await optionsOf(browser);
  const response = await others.device.get(options);
  const refusal = { step: 'passkey', code: 'passkey_refused', reason: 'other_account' };
  await expectRefusal(place.vestibule, browser, response, refusal);
});

test('8 without a name, the user handle may not be left out', async () => {
  const browser = await asked(place, undefined, mine.device);
  const response = await mine.device.get(await optionsOf(browser), { userHandle: null });
  const refusal = { step: 'identify', code: 'passkey_refused', reason: 'user_handle' };
  await expectRefusal(place.vestibule, browser, response, refusal);
});

test('8 a passkey that nobody registered is called unknown, so that the browser forgets it', async () => {
  const stranger = deviceFor(place.vestibule);
  await stranger.create({
    rp: { id: 'localhost', name: 'x' },
    user: { id: Buffer.alloc(64, 1).toString('base64url'), name: 'x', displayName: 'x' },
    challenge: Buffer.alloc(32).toString('base64url'),
    pubKeyCredParams: [{ type: 'public-key', alg: -8 }],
  });
  const browser = await asked(place, undefined, stranger);
  const response = await stranger.get(await optionsOf(browser));
  const refusal = { step: 'identify', code: 'passkey_unknown', reason: 'unknown_credential' };
  await expectRefusal(place.vestibule, browser, response, refusal);
});

test('8 the sentence is in the language of the page', async () => {
  const sentences = new Set<string>();
  for (const language of ['en', 'fr', 'nl', 'de', 'it', 'es']) {
    const browser = await asked(place, owner, mine.device);
    browser.visitor.headers = { 'accept-language': language };
    const told = await browser.use({ altered: 'signature' });
    sentences.add(String(told.body.detail));
  }
  // Five languages are spoken here; the sixth is answered in the default one.
  expect(sentences.size).toBe(5);
});

describe('8 what is no response at all', () => {
  const honest = async (browser: PasskeyBrowser) => mine.device.get(await optionsOf(browser));
  const changed = (over: object) => async (browser: PasskeyBrowser) => {
    const response = await honest(browser);
    return stringify({ ...response, ...over });
  };
  const inside = (over: (response: AuthenticationResponseJSON['response']) => object) => async (b: PasskeyBrowser) => {
    const response = await honest(b);
    return stringify({ ...response, response: { ...response.response, ...over(response.response) } });
  };
  const clientData = (value: unknown) => Buffer.from(typeof value === 'string' ? value : stringify(value));
  const saying = (value: unknown) => inside(() => ({ clientDataJSON: clientData(value).toString('base64url') }));

  test.each<[what: string, make: (browser: PasskeyBrowser) => Promise<string>]>([
    ['nothing', async () => ''],
    ['no JSON', async () => '{'],
    ['null', async () => 'null'],
    ['a text', async () => '"credential"'],
    ['a list', async () => '[]'],
    ['an empty object', async () => '{}'],
    ['lists in lists', async () => '['.repeat(2000) + ']'.repeat(2000)],
    ['a prototype', async () => '{"__proto__":{"id":"x"},"constructor":{"prototype":{}}}'],
    ['another kind of credential', changed({ type: 'password' })],
    ['a number for an id', changed({ id: 7 })],
    ['an id with a line break', changed({ id: 'AAAA\nAAAA', rawId: 'AAAA\nAAAA' })],
    ['two ids', changed({ rawId: Buffer.alloc(32).toString('base64url') })],
    ['an id of 2000 bytes', changed({ id: 'A'.repeat(2700), rawId: 'A'.repeat(2700) })],
    ['no inside', changed({ response: undefined })],
    ['no signature', inside(() => ({ signature: undefined }))],
    ['an empty signature', inside(() => ({ signature: '' }))],
    ['a list of signatures', inside(({ signature }) => ({ signature: [signature] }))],
    ['authenticator data of one byte', inside(() => ({ authenticatorData: 'AA' }))],
    [
      'authenticator data cut short',
      inside(({ authenticatorData: data }) => ({ authenticatorData: data.slice(0, 40) })),
    ],
    ['client data that is no JSON', saying('no JSON')],
    ['client data that is a list', saying([])],
    ['client data without a challenge', saying({ type: 'webauthn.get' })],
    ['a challenge that is an object', saying({ type: 'webauthn.get', challenge: { $ne: '' } })],
    ['a user handle of 200 bytes', inside(() => ({ userHandle: 'A'.repeat(267) }))],
  ])('%s: 400, counted, and the page goes on', async (_what, make) => {
    const { vestibule } = place;
    const browser = await asked(place, owner, mine.device);
    const credential = await make(browser);
    const before = await stepCount(vestibule, 'passkey', 'passkey_refused');
    const told = await browser.send(browser.visitor.page.url.pathname, { credential });
    expect(told).toMatchObject({ status: 400, body: { code: 'passkey_refused' } });
    expect(await stepCount(vestibule, 'passkey', 'passkey_refused')).toBe(before + 1);
    expect((await browser.use()).status).toBe(200);
  });

  test('a browser without a script that sends rubbish gets the page with the sentence', async () => {
    const browser = await asked(place, owner, mine.device);
    const page = await browser.visitor.submit({}, { extra: { credential: '{"<script>":1}' } });
    expect([page.status, page.step, page.error === undefined]).toEqual([400, 'passkey', false]);
    expect(page.body).not.toContain('<script>"');
  });
});

test('8 a counter that went back is accepted where the operator says so, and logged', async () => {
  const { vestibule } = place;
  await vestibule.configure({ settings: { passkeys: { counter_regression: 'log' } } });
  await vestibule.restart();
  try {
    await (await asked(place, owner, mine.device)).use();
    const browser = await asked(place, owner, mine.device);
    const response = await mine.device.get(await optionsOf(browser), { counter: 1 });
    expect((await browser.hand(response)).status).toBe(200);
    expect(browser.visitor.left.searchParams.has('code')).toBe(true);
    await vestibule.logged('passkey.counter_regression', ({ level, policy }) => level === 'warn' && policy === 'log');
    expectNoKeyMaterial(vestibule, response);
  } finally {
    await vestibule.configure({ settings: { passkeys: { counter_regression: 'refuse' } } });
    await vestibule.restart();
  }
});
