import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HIGH, LOW, SUBSTANTIAL } from '../support/external.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { KeycloakVisitor, type Shown } from './support/journey.ts';
import { Keycloak } from './support/keycloak.ts';
import { type Citizen, clientIdOf, LEVELS, REALM, realm } from './support/realm.ts';
import { type Settings, WAYS } from './support/ways.ts';

/** Milliseconds, the download of the first run included. */
const ARRANGED_WITHIN = 900_000;

const HOME = 'http://localhost:9/mutuelle';
const mutuelle = clientFile('mutuelle', { post_logout_redirect_uris: [HOME] });
const COUNT = 20;
const citizens = Array.from({ length: COUNT }, (_, n) => ({
  username: `citizen-${n}`,
  password: `citizen ${n} keeps three kettles`,
  totp: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
}));
const people = Array.from({ length: COUNT }, (_, n) => ({
  username: `person-${n}`,
  password: `person ${n} has a password`,
}));

let keycloak: Keycloak;
let vestibule: Vestibule;
let portal: Portal;
let next = 0;

beforeAll(async () => {
  keycloak = await Keycloak.start();
  vestibule = await startVestibule({
    clients: [mutuelle],
    providers: Object.fromEntries(WAYS.map(({ provider, file }) => [provider, providerFile(provider, file)])),
    people,
  });
  await keycloak.createRealm(realm(vestibule.issuer, citizens, WAYS));
  portal = await Portal.discover(vestibule, mutuelle);
}, ARRANGED_WITHIN);
afterAll(async () => {
  await vestibule?.stop();
  await keycloak?.stop();
});

const providerFile = (provider: string, file: Settings): Settings => ({
  preset: 'generic',
  name: provider,
  issuer: keycloak.issuer(REALM),
  private_network: true,
  client_id: clientIdOf(provider),
  asks_level_by: { by: 'acr_values' },
  levels: [
    { upstream: LEVELS.low, acr: LOW },
    { upstream: LEVELS.substantial, acr: SUBSTANTIAL },
  ],
  logout: { rp_initiated: true, back_channel: true },
  ...file,
});

interface Traveller {
  readonly citizen: Citizen;
  readonly person: { readonly username: string; readonly password: string };
  readonly here: Visitor;
  readonly there: KeycloakVisitor;
}

/** Somebody with an account at both, in a browser that was at neither. */
function traveller(): Traveller {
  const [citizen, person] = [citizens[next], people[next]];
  next += 1;
  if (!citizen || !person) throw new Error(`there are no more than ${COUNT} people`);
  return { citizen, person, ...browser() };
}

const browser = () => ({ here: new Visitor(vestibule), there: new KeycloakVisitor(keycloak.issuer(REALM)) });

/** From the portal to Keycloak and back to whatever this server shows then. */
async function passBy(
  { here, there, citizen }: Traveller,
  provider: string,
  parameters: Readonly<Record<string, string>> = {},
  options: { readonly refuses?: boolean } = {},
): Promise<Shown> {
  await here.visit(await portal.authorizationUrl(parameters));
  await here.choose(`external:${provider}`);
  const shown = await there.goThrough(here.left, citizen, options);
  const { address, form } = shown.answer;
  const headers = { 'sec-fetch-site': 'cross-site', referer: `${new URL(keycloak.issuer(REALM)).origin}/` };
  if (form) await here.post(address, form, { ...headers, origin: new URL(keycloak.issuer(REALM)).origin });
  else await here.visit(address, { headers });
  return shown;
}

/** Proves the account, once. @returns at the portal */
async function link(who: Traveller, provider: string): Promise<void> {
  await passBy(who, provider);
  await who.here.submit();
  await who.here.submit({ username: who.person.username });
  await who.here.submit({ password: who.person.password });
}

/** Somebody who is signed in by the provider alone. */
async function signedIn(provider: string): Promise<Traveller> {
  const who = traveller();
  await link(who, provider);
  const again = { ...who, ...browser() };
  await passBy(again, provider);
  return again;
}

const claimsAtPortal = async ({ here }: Traveller) => (await portal.exchange(here.left)).claims();

describe.each(WAYS)('by $provider: $what', ({ provider }) => {
  test('somebody new proves the account that they have, and signs in without it the next time', async () => {
    const who = traveller();
    await link(who, provider);
    const first = await claimsAtPortal(who);
    const again = { ...who, ...browser() };
    await passBy(again, provider);
    expect(await claimsAtPortal(again)).toMatchObject({ sub: first?.sub, acr: LOW });
  });
});

describe('the level of assurance', () => {
  test('that a portal demands is reached there, with the second factor', async () => {
    const who = traveller();
    await link(who, 'keycloak');
    const again = { ...who, ...browser() };
    const { pages } = await passBy(again, 'keycloak', { acr_values: SUBSTANTIAL });
    expect(pages).toEqual(['password', 'code']);
    expect(await claimsAtPortal(again)).toMatchObject({ acr: SUBSTANTIAL });
  });

  test('is raised for somebody who is signed in, in the session that they have there', async () => {
    const who = traveller();
    await link(who, 'keycloak');
    const { pages } = await passBy(who, 'keycloak', { acr_values: SUBSTANTIAL });
    expect(pages).toEqual(['code']);
    expect(await claimsAtPortal(who)).toMatchObject({ acr: SUBSTANTIAL });
  });

  test('is refused when it is less than was demanded, and the page says so', async () => {
    const who = traveller();
    await link(who, 'secret');
    const again = { ...who, ...browser() };
    await passBy(again, 'secret', { acr_values: HIGH });
    expect(again.here.page.error).toContain('secret');
    expect(again.here.page.alternatives.has('external:secret')).toBe(true);
  });
});

// One gets logout tokens that are encrypted, as its ID tokens are.
describe.each(['keycloak', 'secret'])('signing out, by %s', (provider) => {
  test('here signs out there, and leads back to the portal', async () => {
    const who = await signedIn(provider);
    const { id_token: hint = '' } = await portal.exchange(who.here.left);
    const parameters = { id_token_hint: hint, post_logout_redirect_uri: HOME, state: 'of the portal' };
    await who.here.visit(portal.endSessionUrl(parameters));
    const { pages, answer } = await who.there.goThrough(leadsTo(who.here), who.citizen);
    expect(pages).toEqual([]);
    await who.here.visit(answer.address, { headers: { 'sec-fetch-site': 'cross-site' } });
    expect(who.here.left.href).toBe(`${HOME}?state=of+the+portal`);
    // The session there is gone, or it would have asked nothing.
    expect((await passBy(who, provider)).pages).toEqual(['password']);
  });

  test('there signs out here, in that browser alone', async () => {
    const who = await signedIn(provider);
    const before = await sessionsOf(who.citizen);
    const elsewhere = { ...who, ...browser() };
    await passBy(elsewhere, provider);
    const [newest] = (await sessionsOf(who.citizen)).filter((session) => !before.includes(session));
    const earlier = new Set(vestibule.logs);
    await keycloak.administer('DELETE', `/${REALM}/sessions/${newest}`);
    // Keycloak has answered before it has told us.
    await vestibule.logged('federation.logout', (line) => line.provider === provider && !earlier.has(line));
    expect([await isSignedIn(elsewhere), await isSignedIn(who)]).toEqual([false, true]);
  });
});

test('somebody who refuses there is back at the first page, and signs in another way', async () => {
  const who = traveller();
  const { pages } = await passBy(who, 'keycloak', {}, { refuses: true });
  expect(pages).toEqual(['password', 'consent']);
  expect(who.here.page).toMatchObject({ step: 'identify', error: expect.stringContaining('keycloak') });
  await who.here.submit({ username: who.person.username });
  await who.here.submit({ password: who.person.password });
  expect(await claimsAtPortal(who)).toMatchObject({ amr: ['pwd'] });
});

test('whom a portal wants asked anew is asked there, in spite of the session', async () => {
  const who = traveller();
  await link(who, 'keycloak');
  const before = Math.floor(Date.now() / 1000);
  const { pages } = await passBy(who, 'keycloak', { prompt: 'login' });
  expect(pages).toEqual(['password']);
  expect((await claimsAtPortal(who))?.auth_time).toBeGreaterThanOrEqual(before);
});

test('a key that Keycloak begins to sign with is fetched when it is first met', async () => {
  const who = traveller();
  await link(who, 'keycloak');
  const first = await claimsAtPortal(who);
  await keycloak.administer('POST', `/${REALM}/components`, {
    name: 'newer',
    providerId: 'rsa-generated',
    providerType: 'org.keycloak.keys.KeyProvider',
    config: { priority: ['200'], enabled: ['true'], active: ['true'], algorithm: ['RS256'] },
  });
  const again = { ...who, ...browser() };
  await passBy(again, 'keycloak');
  expect(await claimsAtPortal(again)).toMatchObject({ sub: first?.sub });
});

test('config check --online finds what Keycloak supports, and the level that it has never heard of', async () => {
  const { code, stdout, stderr } = await vestibule.command(['config', 'check', '--online']);
  const findings = `${stdout}${stderr}`.split('\n').filter((line) => /providers\/\w+\.yaml/.test(line));
  expect(findings).toEqual([expect.stringMatching(/secret\.yaml.*not supported: high\./)]);
  expect(code).toBe(0);
});

/** Where a page that leads on by itself leads, or the redirect that was answered instead. */
function leadsTo({ page }: Visitor): URL {
  const refresh = /^0;url=(.+)$/.exec(String(page.headers.refresh ?? ''))?.[1];
  if (refresh === undefined && !page.location) throw new Error(`leads nowhere: ${page.describe()}`);
  return refresh === undefined ? new URL(page.location ?? '') : new URL(refresh);
}

/** As a portal finds out without a page. */
async function isSignedIn({ here }: Traveller): Promise<boolean> {
  await here.visit(await portal.authorizationUrl({ prompt: 'none' }));
  return here.left.searchParams.has('code');
}

/** Of somebody at Keycloak, by name. */
async function sessionsOf({ username }: Citizen): Promise<readonly string[]> {
  const query = new URLSearchParams({ username, exact: 'true' });
  const [user] = (await keycloak.administer('GET', `/${REALM}/users?${query}`)) as { id: string }[];
  const sessions = (await keycloak.administer('GET', `/${REALM}/users/${user?.id}/sessions`)) as { id: string }[];
  return sessions.map(({ id }) => id);
}
