import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { startPortals } from '../../examples/portals/index.ts';
import { PORTALS } from '../../examples/portals/portals.ts';
import { PasskeyBrowser } from '../support/passkeys.ts';
import { clientFile } from '../support/portal.ts';
import { freePort } from '../support/ports.ts';
import { codeOf, crowd, keyOn, MFA, passPassword, SECRET, STEP, withApp } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { bearer } from './arrange.ts';

/** One portal of each kind: with two factors whenever they were given, and with recent ones. */
const rows = PORTALS.filter(({ path }) => path === 'mutuelle' || path === 'fiduciaire');
const people = crowd({ plain: {}, app: withApp }, 10);

let vestibule: Vestibule;
let portals: Awaited<ReturnType<typeof startPortals>>;
/** One person's browser, at the portals and at the server. */
let there: Visitor;
let here: Visitor;

beforeAll(async () => {
  const port = await freePort();
  const clients = rows.map(({ clientId, clientSecret }) => {
    const home = `http://localhost:${port}/${clientId}`;
    const addresses = { redirect_uris: [`${home}/callback`], post_logout_redirect_uris: [home] };
    return clientFile(clientId, { ...addresses, client_secret: clientSecret });
  });
  vestibule = await startVestibule({ clients, people: people.everybody });
  portals = await startPortals({ port, issuer: vestibule.issuer, portals: rows, log: () => {} });
});
afterAll(async () => {
  await portals.close();
  await vestibule.stop();
});
beforeEach(() => {
  here = new Visitor(vestibule);
  there = new Visitor({ issuer: portals.url });
});
afterEach(() => {
  jest.restoreAllMocks();
});

const shown = (id: string) => there.page.attributesOf(({ attribs }) => attribs.id === id);
const errorCode = () => shown('error')?.['data-code'];

/** Opens a page of a portal, and the server's where the browser is sent there. @returns that request */
async function open(path: string): Promise<URLSearchParams | undefined> {
  await there.visit(path);
  if (there.page.location) await here.visit(there.page.location);
  return there.page.location?.searchParams;
}
/** Follows the server back to the portal. */
const back = () => there.visit(here.left);
const giveCode = async (secret = SECRET, server: { now(): number } = vestibule) =>
  here.submit({ code: await codeOf(server, secret) });

async function signInTo(portal: string, person: Person): Promise<void> {
  await open(`/${portal}/sign-in`);
  await passPassword(here, person);
  if (here.page.step === 'totp') await giveCode();
  await back();
}
const expectDocuments = (portal: string) => {
  expect([there.page.status, there.page.url.pathname]).toEqual([200, `/${portal}/documents`]);
  expect(shown('documents-list')).toBeDefined();
};

describe('the documents of a portal', () => {
  test('are shown at once to who signed in with two factors', async () => {
    await signInTo('mutuelle', people.next('app'));
    expect(shown('documents')?.href).toBe('/mutuelle/documents');
    await open('/mutuelle/documents');
    expectDocuments('mutuelle');
  });

  test('bring who isn’t signed in there by way of the sign-in', async () => {
    const request = await open('/mutuelle/documents');
    // There is no token yet to ask the API with: it says for itself what it needs.
    expect(request?.has('acr_values')).toBe(false);
    await passPassword(here, people.next('app'));
    await giveCode();
    await back();
    expectDocuments('mutuelle');
  });

  test('ask who signed in with a password for what the API wants, and come back to the page', async () => {
    const person = people.next('plain');
    await signInTo('mutuelle', person);
    // An app set up since, in the same session.
    await here.visit('/account/two-factor/app');
    const key = keyOn(here.page);
    await giveCode(key);
    await vestibule.advanceClock(STEP);
    const request = await open('/mutuelle/documents');
    expect([request?.get('acr_values'), request?.has('max_age')]).toEqual([MFA, false]);
    expect(here.page.step).toBe('totp');
    await giveCode(key);
    await back();
    expectDocuments('mutuelle');
    // Neither asked again, nor elsewhere.
    await open('/mutuelle/documents');
    expectDocuments('mutuelle');
  });

  test('of a portal that wants a recent sign-in ask again when it is not', async () => {
    const person = people.next('app');
    await signInTo('fiduciaire', person);
    await open('/fiduciaire/documents');
    expectDocuments('fiduciaire');
    const late = 700;
    await vestibule.advanceClock(late);
    const clock = Date.now.bind(Date);
    jest.spyOn(Date, 'now').mockImplementation(() => clock() + late * 1000);
    const request = await open('/fiduciaire/documents');
    expect([request?.get('acr_values'), request?.get('max_age')]).toEqual([MFA, '600']);
    expect(here.page.step).toBe('password');
    await here.submit({ password: person.password });
    await giveCode(SECRET, { now: () => vestibule.now() - late * 1000 });
    await back();
    expectDocuments('fiduciaire');
  });

  test('say so when the server can’t, with a way back, and sign nobody out', async () => {
    const person = people.next('plain');
    const browser = new PasskeyBrowser(here, vestibule.issuer);
    await open('/mutuelle/sign-in');
    await passPassword(here, person);
    await browser.create();
    await back();
    // A passkey would do, but not in this browser.
    browser.say('none', vestibule.issuer);
    await open('/mutuelle/documents');
    await back();
    expect([there.page.url.pathname, errorCode()]).toEqual([
      '/mutuelle/documents',
      'unmet_authentication_requirements',
    ]);
    expect(shown('documents-list')).toBeUndefined();
    expect(shown('back')?.href).toBe('/mutuelle');
    await open('/mutuelle');
    expect([shown('greeting') !== undefined, errorCode()]).toEqual([true, undefined]);
  });

  test('are left for another time when the person cancels', async () => {
    await signInTo('mutuelle', people.next('plain'));
    await open('/mutuelle/documents');
    expect(here.page.step).toBe('enrol-totp');
    await here.choose('cancel');
    await back();
    expect([shown('notice') !== undefined, shown('retry')?.href]).toEqual([true, '/mutuelle/documents']);
    await open('/mutuelle/documents');
    expect(here.page.step).toBe('enrol-totp');
  });
});

describe('their API', () => {
  const call = async (headers: Readonly<Record<string, string>> = {}) => {
    const answer = await fetch(`${portals.url}/mutuelle/api/documents`, { headers });
    return [answer.status, answer.headers.get('www-authenticate')];
  };

  test.each([{}, { authorization: 'Basic YTpi' }, { authorization: 'Bearer' }, { cookie: 'mutuelle_session=x' }])(
    'names the scheme and no error to who brings no token: %j',
    async (headers) => {
      expect(await call(headers)).toEqual([401, 'Bearer realm="Mutuelle Azur"']);
    },
  );

  test('refuses what is no token of the server’s', async () => {
    expect(await call(bearer('made-up'))).toEqual([401, expect.stringContaining('error="invalid_token"')]);
  });

  test('asks for two factors as RFC 9470 writes it', async () => {
    const told: unknown[] = [];
    const through = globalThis.fetch;
    jest.spyOn(globalThis, 'fetch').mockImplementation(async (...request) => {
      const answer = await through(...request);
      if (String(request[0]).endsWith('/api/documents')) told.push(answer.headers.get('www-authenticate'));
      return answer;
    });
    await signInTo('mutuelle', people.next('plain'));
    await open('/mutuelle/documents');
    expect(told).toEqual([
      'Bearer realm="Mutuelle Azur", error="insufficient_user_authentication", ' +
        `error_description="Two factors are needed.", acr_values="${MFA}"`,
    ]);
  });
});
