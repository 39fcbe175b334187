import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server';
import type { SoftwareAuthenticator } from '../support/authenticator/index.ts';
import type { Page } from '../support/page.ts';
import { Portal } from '../support/portal.ts';
import { startVestibule } from '../support/vestibule.ts';
import {
  asked,
  crowd,
  deviceFor,
  enrolled,
  idOf,
  MFA,
  type Place,
  passworded,
  referenceOf,
} from './support/passkeys.ts';
import { mutuelle } from './support/people.ts';
import { changeAccount } from './support/storage.ts';

/** Half of them have a passkey. */
const people = crowd(8);
const HOLDERS = 4;
/** Seconds for which the share of people with a passkey may be remembered. */
const SHARE_AGE = 61;
const settings = { limits: { address: { count: 10_000 } } };
const holders = people.slice(0, HOLDERS).map(({ username }) => username);
const owner = String(holders[0]);
const without = 'person-6';
const suspendedWithout = 'person-7';

let place: Place;
const devices: SoftwareAuthenticator[] = [];
/** Names nobody has, told apart by the page that comes. */
const decoys: string[] = [];
const plain: string[] = [];

beforeAll(async () => {
  const vestibule = await startVestibule({ clients: [mutuelle], people, settings });
  place = { vestibule, portal: await Portal.discover(vestibule, mutuelle) };
  for (const username of holders) devices.push((await enrolled(place, username)).device);
  await changeAccount(vestibule, suspendedWithout, { state: 'suspended' });
  await vestibule.advanceClock(SHARE_AGE);
  for (let n = 0; n < 60; n++) {
    const username = `nobody-${n}`;
    const { visitor } = await asked(place, username);
    (visitor.page.step === 'passkey' ? decoys : plain).push(username);
  }
});
afterAll(() => place?.vestibule.stop());

const optionsFor = async (username: string, parameters = {}) => {
  const browser = await asked(place, username, undefined, parameters);
  return browser.options<PublicKeyCredentialRequestOptionsJSON>();
};

/** The page without what differs for everybody: numbers, names typed, tokens. */
const shape = ({ status, headers, body }: Page, username: string) => [
  status,
  Object.keys(headers).toSorted(),
  body
    .replaceAll(username, '<username>')
    .replaceAll(/interaction[/=][\w-]+/g, 'interaction/<uid>')
    .replaceAll(/value="[\w-]{43}"/g, 'value="<token>"')
    .replaceAll(/[0-9A-Z]{4}-[0-9A-Z]{4}/g, '<reference>'),
];

/** Signed by a key that nobody registered, with the id it is told to give. */
async function madeUp(options: PublicKeyCredentialRequestOptionsJSON, id: string, tamper = {}) {
  const attacker = deviceFor(place.vestibule);
  const { rpId = '', challenge } = options;
  await attacker.create({
    rp: { id: rpId, name: '' },
    user: { id: Buffer.alloc(64, 9).toString('base64url'), name: 'x', displayName: 'x' },
    challenge,
    pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
  });
  return attacker.get({ rpId, challenge }, { id, ...tamper });
}

describe('17 enumeration', () => {
  test('about as many names that nobody has get the passkey page as people have one', () => {
    // Half of sixty; 99.9 % of fair draws are within.
    expect(decoys.length).toBeGreaterThan(16);
    expect(decoys.length).toBeLessThan(44);
  });

  test('pages, headers and the shape of options are the same', async () => {
    const [decoy = '', other = ''] = [decoys[0], plain[0]];
    const page = async (username: string) => shape((await asked(place, username)).visitor.page, username);
    expect(await page(decoy)).toEqual(await page(owner));
    expect(await page(other)).toEqual(await page(without));
    const frame = async (username: string, parameters = {}) => {
      const { challenge, allowCredentials, ...rest } = await optionsFor(username, parameters);
      return [challenge.length, allowCredentials?.map((each) => [Object.keys(each), each.type]).slice(0, 1), rest];
    };
    expect(await frame(decoy)).toEqual(await frame(owner));
    expect(await frame(decoy, { acr_values: MFA })).toEqual(await frame(owner, { acr_values: MFA }));
  });

  test('made-up passkeys are as various as real ones: how many, how long, and how they are reached', async () => {
    const seen = await Promise.all(decoys.map(async (name) => (await optionsFor(name)).allowCredentials ?? []));
    const sizes = new Set(seen.flat().map(({ id }) => Buffer.from(id, 'base64url').length));
    expect([...sizes].toSorted((a, b) => a - b)).toEqual([16, 20, 32]);
    const real = (await optionsFor(owner)).allowCredentials ?? [];
    const ways = new Set(seen.flat().map(({ transports }) => String(transports)));
    // A passkey of one device, such as the owner's, would otherwise say: somebody has this name.
    for (const { transports } of real) expect([...ways]).toContain(String(transports));
    expect([...ways]).toContain('hybrid,internal');
    const counts = new Set(seen.map(({ length }) => length));
    expect([counts.has(1), counts.has(2), counts.has(0)]).toEqual([true, true, false]);
  });

  test('made-up passkeys stay the same, however the name is written, and after a restart', async () => {
    const [name = ''] = decoys;
    const { allowCredentials: first } = await optionsFor(name);
    expect((await optionsFor(name)).allowCredentials).toEqual(first);
    expect((await optionsFor(` ${name.toUpperCase()} `)).allowCredentials).toEqual(first);
    await place.vestibule.restart();
    expect((await optionsFor(name)).allowCredentials).toEqual(first);
    const { visitor } = await asked(place, plain[0]);
    expect(visitor.page.step).toBe('password');
    const all = await Promise.all(decoys.map(async (each) => (await optionsFor(each)).allowCredentials?.[0]?.id));
    expect(new Set(all).size).toBe(decoys.length);
  });

  test('somebody who is suspended is a name nobody has', async () => {
    const username = String(holders[3]);
    const device = devices[3];
    await changeAccount(place.vestibule, username, { state: 'suspended' });
    try {
      const { visitor } = await asked(place, username);
      const { visitor: password } = await asked(place, suspendedWithout);
      for (const { page } of [visitor, password]) expect(['passkey', 'password']).toContain(page.step);
      if (visitor.page.step === 'passkey') {
        const ids = (await optionsFor(username)).allowCredentials?.map(({ id }) => id);
        expect(ids).not.toContain(device?.credentials[0]?.id);
      }
      // Their own passkey is as wrong as any.
      const browser = await asked(place, undefined, device);
      expect(await browser.use()).toMatchObject({ status: 400, body: { code: 'passkey_refused' } });
    } finally {
      await changeAccount(place.vestibule, username, { state: 'active' });
    }
  });

  test('suspended while the ceremony runs, a person is not signed in', async () => {
    const username = String(holders[2]);
    const browser = await asked(place, username, devices[2]);
    const options = await browser.options<PublicKeyCredentialRequestOptionsJSON>();
    const response = await browser.device.get(options);
    await changeAccount(place.vestibule, username, { state: 'suspended' });
    expect(await browser.hand(response)).toMatchObject({ status: 400, body: { code: 'passkey_refused' } });
    await changeAccount(place.vestibule, username, { state: 'active' });
  });

  /** What an attacker without any key may try, and what is demanded of the person. */
  const TRIES: readonly (readonly [what: string, tamper: object, parameters: Readonly<Record<string, string>>])[] = [
    ['a signature of one’s own', {}, {}],
    ['no verified user', { flags: { uv: false } }, {}],
    ['no verified user, where one is demanded', { flags: { uv: false } }, { acr_values: MFA }],
    ['nobody present', { flags: { up: false } }, {}],
    ['another origin', { origin: 'https://evil.example' }, {}],
    ['another relying party', { rpId: 'evil.example' }, {}],
    ['a contradiction in the flags', { flags: { be: false, bs: true } }, {}],
    ['another kind of ceremony', { type: 'webauthn.create' }, {}],
    ['no user handle', { userHandle: null }, {}],
    ['a counter of nothing', { counter: 0 }, {}],
    ['bytes too many', { excess: { authenticatorData: 3 } }, {}],
  ];

  describe.each(['passkey', 'identify'])('on the page "%s"', (step) => {
    test.each(TRIES)('%s gets the same answer for a real and for a made-up id', async (_what, tamper, parameters) => {
      const answers = await Promise.all(
        [owner, String(decoys[0])].map(async (username) => {
          const id = (await optionsFor(username)).allowCredentials?.[0]?.id ?? '';
          const browser = await asked(place, step === 'passkey' ? username : undefined, undefined, parameters);
          const response = await madeUp(await browser.options(), id, tamper);
          const told = await browser.hand(response);
          return [told.status, told.type, JSON.stringify(told.body).replace(referenceOf(told), '')];
        }),
      );
      expect(answers[1]).toEqual(answers[0]);
      expect(answers[0]?.[0]).toBe(400);
    });
  });

  test('a registration of one’s own tells nothing of an id either', async () => {
    const answers = [];
    for (const username of [owner, String(decoys[0])]) {
      const credentialId = (await optionsFor(username)).allowCredentials?.[0]?.id ?? '';
      const browser = await passworded(place, without);
      const { status, body } = await browser.create({ credentialId });
      answers.push([status, body.code]);
    }
    expect(answers[1]).toEqual(answers[0]);
  });

  test('the answers take the same time', async () => {
    const times = new Map<string, number[]>();
    const time = async (what: string, work: () => Promise<unknown>) => {
      const started = performance.now();
      await work();
      times.set(what, [...(times.get(what) ?? []), performance.now() - started]);
    };
    for (let n = 0; n < 25; n++) {
      for (const [what, username] of [
        ['known', owner],
        ['unknown', String(decoys[n % decoys.length])],
      ] as const) {
        const browser = await asked(place);
        await time(`name: ${what}`, () => browser.visitor.submit({ username }));
        const options = await browser.options<PublicKeyCredentialRequestOptionsJSON>();
        await time(`options: ${what}`, () => browser.options());
        const response = await madeUp(options, options.allowCredentials?.[0]?.id ?? '');
        await time(`answer: ${what}`, () => browser.hand(response));
      }
    }
    // What the work itself takes: the fastest of many, as a busy machine only ever adds to it.
    const least = (what: string): number => Math.min(...(times.get(what) ?? []));
    for (const what of ['name', 'options', 'answer']) {
      const [known, unknown] = [least(`${what}: known`), least(`${what}: unknown`)];
      // A verification left out would be most of the answer.
      expect([what, unknown > known / 2, unknown < known * 2]).toEqual([what, true, true]);
    }
  });
});

test('17 where nobody has a passkey, no name gets the passkey page', async () => {
  const vestibule = await startVestibule({ clients: [mutuelle], people: people.slice(0, 2), settings });
  try {
    const empty = { vestibule, portal: await Portal.discover(vestibule, mutuelle) };
    for (let n = 0; n < 25; n++) expect((await asked(empty, `nobody-${n}`)).visitor.page.step).toBe('password');
    expect((await asked(empty, owner)).visitor.page.step).toBe('password');
  } finally {
    await vestibule.stop();
  }
});

test('17 an id of another’s, known from their page, is of no use to whoever has it', async () => {
  const browser = await asked(place, String(holders[1]), devices[1]);
  const options = await browser.options<PublicKeyCredentialRequestOptionsJSON>();
  const response = await browser.device.get(options, { id: idOf({ device: devices[0] } as typeof browser) });
  expect(await browser.hand(response)).toMatchObject({ status: 400, body: { code: 'passkey_refused' } });
});
