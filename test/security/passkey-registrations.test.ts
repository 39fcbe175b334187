import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/server';
import { AttestationAuthority, type CreationTamper } from '../support/authenticator/index.ts';
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
  type Place,
  passworded,
} from './support/passkeys.ts';
import { mutuelle } from './support/people.ts';

const creationOf = (browser: PasskeyBrowser) => browser.options<PublicKeyCredentialCreationOptionsJSON>();
const codeOf = (reason: string) => (reason === 'attestation' ? 'passkey_not_allowed' : 'passkey_refused');
const STEP = { step: 'offer-passkey', event: 'passkey.refused' };

describe('8 a registration', () => {
  const people = crowd(60);
  let place: Place;
  let others: PasskeyBrowser;
  let next = 0;
  const fresh = (): string => people[next++]?.username ?? '';

  beforeAll(async () => {
    const vestibule = await startVestibule({
      clients: [mutuelle],
      people,
      settings: { log: { level: 'trace' }, limits: { address: { count: 10_000 } } },
    });
    place = { vestibule, portal: await Portal.discover(vestibule, mutuelle) };
    others = await enrolled(place, fresh());
  });
  afterAll(() => place?.vestibule.stop());

  type Make = (port: number) => CreationTamper;
  const LIES: readonly (readonly [what: string, tamper: CreationTamper | Make, reason: string])[] = [
    ['of another origin', { origin: 'https://evil.example' }, 'origin'],
    ['of an origin that ends like ours', (port) => ({ origin: `http://badlocalhost:${port}` }), 'origin'],
    ['of an origin that begins like ours', (port) => ({ origin: `http://localhost.evil.example:${port}` }), 'origin'],
    ['for another relying party', { rpId: 'evil.example' }, 'rp_id'],
    ['with nobody present', { flags: { up: false } }, 'user_presence'],
    ['with a sign-in’s type', { type: 'webauthn.get' }, 'type'],
    ['made in a frame of another site', { crossOrigin: true }, 'malformed'],
    ['made below another site', { crossOrigin: true, topOrigin: 'https://evil.example' }, 'malformed'],
    ['with a P-384 key', { algorithm: -35 }, 'algorithm'],
    ['with a P-521 key', { algorithm: -36 }, 'algorithm'],
    ['of an algorithm nobody knows', { algorithm: -65_535 }, 'algorithm'],
    ['labelled with another id', { id: Buffer.alloc(32, 3).toString('base64url') }, 'malformed'],
    ['without attested data', { flags: { at: false } }, 'malformed'],
    ['copied though it can’t be', { flags: { bs: true } }, 'malformed'],
    ['with an id of 1100 bytes', { credentialId: Buffer.alloc(1100, 3).toString('base64url') }, 'malformed'],
    ['with a huge attestation', { excess: { attestationObject: 9000 } }, 'malformed'],
    ['with bytes behind the key', { excess: { authenticatorData: 5 } }, 'malformed'],
    ['with a statement where there is none', { excess: { attestationStatement: 500 } }, 'attestation'],
    ['with a self attestation that does not fit', { attestation: 'self', altered: 'signature' }, 'attestation'],
  ];

  test.each(LIES)('%s is refused, and the next honest try on the page is kept', async (_what, tamper, reason) => {
    const username = fresh();
    const browser = await passworded(place, username);
    const lie = typeof tamper === 'function' ? tamper(place.vestibule.port) : tamper;
    const response = await browser.device.create(await creationOf(browser), lie);
    await expectRefusal(place.vestibule, browser, response, { ...STEP, code: codeOf(reason), reason });
    browser.device.forget(idOf(browser));
    expect((await browser.create()).status).toBe(200);
    const again = await asked(place, username, browser.device);
    expect((await again.use()).status).toBe(200);
  });

  test('that takes another’s credential id is refused, and theirs works as before', async () => {
    const browser = await passworded(place, fresh());
    const response = await browser.device.create(await creationOf(browser), { credentialId: idOf(others) });
    await expectRefusal(place.vestibule, browser, response, { ...STEP, code: 'passkey_exists', reason: 'taken' });
    const owner = await asked(place, undefined, others.device);
    expect((await owner.use()).status).toBe(200);
  });

  test('too large for any page: 413, and the next honest try is kept', async () => {
    const browser = await passworded(place, fresh());
    const response = await browser.device.create(await creationOf(browser), { excess: { attestationObject: 20_000 } });
    const told = await browser.hand(response);
    expect(told).toMatchObject({ status: 413, body: { status: 413, code: 'too_large' } });
    expect(told.type).toMatch(/^application\/problem\+json/);
    expectNoKeyMaterial(place.vestibule, response);
    expect((await browser.create()).status).toBe(200);
  });

  test.each([
    ['no CBOR', Buffer.from('this is no CBOR')],
    ['lists in lists', Buffer.alloc(6000, 0x81)],
    ['a list that says it has four thousand million members', Buffer.from('9affffffff', 'hex')],
    ['a text that says it is endless', Buffer.from('7bffffffffffffffff', 'hex')],
    ['a map of itself', Buffer.from('a1a0a0', 'hex')],
    ['a list', Buffer.from('80', 'hex')],
    ['an attestation without its parts', Buffer.from('a163666d74646e6f6e65', 'hex')],
    [
      'authenticator data that is a text',
      Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746163616263', 'hex'),
    ],
  ])('%s in place of an attestation: 400 and the page goes on', async (_what, bytes) => {
    const browser = await passworded(place, fresh());
    const honest = await browser.device.create(await creationOf(browser));
    const response = { ...honest, response: { ...honest.response, attestationObject: bytes.toString('base64url') } };
    const told = await browser.hand(response);
    expect([told.status, told.type.startsWith('application/problem+json')]).toEqual([400, true]);
    browser.device.forget(idOf(browser));
    expect((await browser.create()).status).toBe(200);
  });

  test('nothing a browser says of itself becomes a name or a line in the log', async () => {
    const browser = await passworded(place, fresh());
    browser.visitor.headers = {
      'user-agent': '"}\u0085{"event":"login.succeeded","account":"root"} <script>iPhone</script>',
    };
    expect((await browser.create()).status).toBe(200);
    const added = await place.vestibule.logged('passkey.added', ({ name }) => name === 'iPhone');
    expect(added.name).toBe('iPhone');
    expect(JSON.stringify(place.vestibule.logs)).not.toContain('"root');
  });
});

describe('8 where models have to be attested', () => {
  const ALLOWED = 'ee882879-721c-4913-9775-3dfcce97072a';
  const FOREIGN = 'fa2b99dc-9e39-4257-8f92-4a30d23c4118';
  const people = crowd(12);
  const authority = new AttestationAuthority();
  let place: Place;
  let next = 0;
  const fresh = (): string => people[next++]?.username ?? '';

  beforeAll(async () => {
    const vestibule = await startVestibule({
      clients: [mutuelle],
      people,
      files: { 'attestation/root.pem': authority.pem },
      settings: {
        limits: { address: { count: 10_000 } },
        passkeys: { attestation: 'direct', allowed_aaguids: [ALLOWED], trust_anchors: ['attestation/root.pem'] },
      },
    });
    place = { vestibule, portal: await Portal.discover(vestibule, mutuelle) };
  });
  afterAll(() => place?.vestibule.stop());

  const key = { aaguid: ALLOWED, attachment: 'cross-platform', attestation: authority } as const;

  test.each([
    ['by the manufacturer', authority],
    ['by an authority below the manufacturer’s', new AttestationAuthority('Below', authority)],
  ])('an allowed model, attested %s, reaches the highest level', async (_by, attestation) => {
    const username = fresh();
    const { device } = await enrolled(place, username, { ...key, attestation });
    const browser = await asked(place, username, device, { acr_values: 'phrh' });
    expect((await browser.use()).status).toBe(200);
    const claims = (await place.portal.exchange(browser.visitor.left)).claims();
    expect(claims).toMatchObject({ acr: 'phrh', amr: ['hwk', 'user', 'mfa'] });
  });

  test('one that may be copied reaches no protected device, attested or not', async () => {
    const username = fresh();
    const { device } = await enrolled(place, username, { ...key, synced: true, counts: false });
    const browser = await asked(place, username, device);
    await browser.use();
    const claims = (await place.portal.exchange(browser.visitor.left)).claims();
    expect(claims).toMatchObject({ acr: 'phr', amr: ['swk', 'user', 'mfa'] });
  });

  const REFUSED: readonly (readonly [what: string, over: object, tamper: CreationTamper, reason: string])[] = [
    ['another model', { aaguid: FOREIGN }, {}, 'aaguid'],
    ['another model that claims to be an allowed one', { aaguid: FOREIGN }, { aaguid: ALLOWED }, 'attestation'],
    ['an allowed model that claims to be another', {}, { aaguid: FOREIGN }, 'attestation'],
    ['an attestation by its own key', { attestation: 'self' }, {}, 'attestation'],
    ['no attestation', { attestation: 'none' }, {}, 'attestation'],
    ['an authority nobody trusts', { attestation: new AttestationAuthority() }, {}, 'attestation'],
    [
      'an authority below one that nobody trusts',
      { attestation: new AttestationAuthority('x', new AttestationAuthority()) },
      {},
      'attestation',
    ],
    ['an attestation of other bytes', {}, { altered: 'authenticatorData' }, 'attestation'],
    ['an altered attestation', {}, { altered: 'signature' }, 'attestation'],
  ];

  test('every other is refused, and an allowed one on the same page is kept', async () => {
    const browser = await passworded(place, fresh(), deviceFor(place.vestibule, key));
    for (const [what, over, tamper, reason] of REFUSED) {
      const device = deviceFor(place.vestibule, { ...key, ...over });
      const response = await device.create(await creationOf(browser), tamper);
      const refusal = { ...STEP, code: 'passkey_not_allowed', reason };
      await expectRefusal(place.vestibule, browser, response, refusal).catch((error: unknown) => {
        throw new Error(what, { cause: error });
      });
    }
    expect((await browser.create()).status).toBe(200);
  });
});
