import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { EvilUpstream } from '../support/evil-upstream.ts';
import { appoint, arrive, CLIENT_ID, link, passBy, providerFile, signInAs } from '../support/external.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { crowd, passPassword } from '../support/second-factor.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import type { Scene } from './support/external.ts';
import { accountOf, bytesOnDisk, tamper } from './support/storage.ts';

const API = 'https://api.example/dossiers';
const NUMBER = '85073003328-NN';
const TOWN = 'Unreadable-les-Bains';
const EVERYTHING = {
  scope: 'openid profile email address phone eid',
  claims: JSON.stringify({ id_token: { national_number: null, town: null }, userinfo: { national_number: null } }),
};

const people = crowd({ plain: {} });
const OWN = { first_party: true, profile_in_id_token: true, refresh_token_without_offline_access: true };
/** It alone is released the number. */
const caisse = clientFile('caisse', { vestibule: OWN });
const mutuelle = clientFile('mutuelle', { vestibule: OWN });

let evil: EvilUpstream;
let vestibule: Vestibule;
let scene: Scene;
let visitor: Visitor;
let citizens = 0;

beforeAll(async () => {
  evil = await EvilUpstream.start(CLIENT_ID, () => vestibule?.now() ?? Date.now());
  vestibule = await startVestibule({
    clients: [caisse, mutuelle],
    providers: {
      evil: providerFile(evil, {
        subject: [{ path: 'national_number', confidential: true }],
        mapping: { national_number: 'national_number', town: ['address', 'locality'] },
        release: { caisse: ['national_number', 'town'] },
      }),
    },
    people: people.everybody,
    settings: {
      log: { level: 'trace' },
      features: { registration: { enabled: true } },
      resource_servers: { [API]: { scopes: ['dossiers:read'] } },
    },
  });
  scene = { vestibule, evil, portal: await Portal.discover(vestibule, caisse) };
});
afterAll(async () => {
  await vestibule?.stop();
  await evil?.stop();
});
beforeEach(() => {
  evil.reset();
  visitor = new Visitor(vestibule);
});

/** Somebody with a number of their own. */
function newcomer() {
  citizens += 1;
  const national_number = `${NUMBER}-${citizens}`;
  return { sub: `citizen-${citizens}`, claims: { national_number, address: { locality: TOWN } } };
}

/** Everything that a portal is given for a sign-in of whoever is signed in, token for token. */
async function given(by: Visitor, portal: Portal, address: URL): Promise<string> {
  await by.visit(address);
  const tokens = await portal.exchange(by.left);
  const refreshed = await portal.refresh(tokens.refresh_token ?? '');
  const userinfo = await Promise.all([tokens, refreshed].map((one) => portal.userinfo(one.access_token)));
  return JSON.stringify([tokens, tokens.claims(), refreshed, refreshed.claims(), userinfo]);
}

test('a number that a portal is released stands neither in the log at its loudest nor on the disk', async () => {
  const citizen = newcomer();
  const person = people.next('plain');
  await arrive(scene, {}, visitor);
  appoint(evil, citizen);
  await passBy(visitor, evil);
  // Held until an account is proven.
  const held = await bytesOnDisk(vestibule);
  await visitor.submit();
  await passPassword(visitor, person);
  const linked = await bytesOnDisk(vestibule);
  const again = await signInAs(scene, citizen, EVERYTHING);
  const tokens = await scene.portal.exchange(again.left);
  // It is there, or nothing is shown by not finding it.
  expect(tokens.claims()).toMatchObject({ national_number: citizen.claims.national_number, town: TOWN });
  expect(await scene.portal.userinfo(tokens.access_token)).toMatchObject({ town: TOWN });
  const log = vestibule.logs.map((line) => JSON.stringify(line)).join('\n') + vestibule.complaints;
  const places = { held, linked, now: await bytesOnDisk(vestibule), log };
  for (const secret of [NUMBER, TOWN])
    for (const [place, bytes] of Object.entries(places))
      expect([secret, place, bytes.includes(secret)]).toEqual([secret, place, false]);
});

test('no other portal finds it in anything it is given, whatever it asks and however', async () => {
  const citizen = newcomer();
  const session = await link(scene, citizen, people.next('plain'));
  const other = await Portal.discover(vestibule, mutuelle);
  // What the test looks for is there for the portal that it is released to.
  expect(await given(session, scene.portal, await scene.portal.authorizationUrl(EVERYTHING))).toMatch(
    /85073003328.*Unreadable.*"scope":"[^"]*\beid\b/s,
  );
  for (const address of [await other.authorizationUrl(EVERYTHING), await other.pushedAuthorizationUrl(EVERYTHING)])
    expect(await given(session, other, address)).not.toMatch(/85073003328|Unreadable|national_number|\beid\b/);
});

test('a token for an API holds nothing of it, the released portal’s own included', async () => {
  const citizen = newcomer();
  const session = await link(scene, citizen, people.next('plain'));
  const parameters = { ...EVERYTHING, scope: `${EVERYTHING.scope} dossiers:read`, resource: API };
  await session.visit(await scene.portal.authorizationUrl(parameters));
  const tokens = await scene.portal.exchange(session.left);
  expect(JSON.stringify(decodeJwt(tokens.access_token))).not.toMatch(/national_number|town|Unreadable/);
});

test('a portal that registers itself under a scope of that name is told nothing', async () => {
  const citizen = newcomer();
  const session = await link(scene, citizen, people.next('plain'));
  const answer = await fetch(new URL('/reg', vestibule.issuer), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_id: 'caisse',
      client_name: 'Caisse',
      scope: 'openid eid',
      redirect_uris: ['https://evil.example/callback'],
    }),
  });
  const registered = (await answer.json()) as { client_id: string; client_secret: string };
  expect([answer.status, registered.client_id === 'caisse']).toEqual([201, false]);
  const portal = await Portal.discover(vestibule, {
    client_id: registered.client_id,
    client_secret: registered.client_secret,
    redirect_uris: ['https://evil.example/callback'],
  });
  await session.visit(await portal.authorizationUrl({ ...EVERYTHING, scope: 'openid eid' }));
  expect(session.page.step).toBe('consent');
  expect(session.page.text).not.toMatch(/national number|electronic identity/);
  await session.submit();
  const tokens = await portal.exchange(session.left);
  expect(JSON.stringify([tokens.claims(), await portal.userinfo(tokens.access_token)])).not.toContain(NUMBER);
});

test('what is kept of one person, put in the place of another’s, opens nothing', async () => {
  const [victim, thief] = [people.next('plain'), people.next('plain')];
  await link(scene, newcomer(), victim);
  const citizen = newcomer();
  await link(scene, citizen, thief);
  const [from, to] = await Promise.all([accountOf(vestibule, victim), accountOf(vestibule, thief)]);
  const session = await signInAs(scene, citizen);
  tamper(
    vestibule,
    'durable',
    `UPDATE credentials SET data = json_set(data, '$.claims', (SELECT json_extract(data, '$.claims') FROM credentials
       WHERE kind = 'external' AND account_id = '${from}')) WHERE kind = 'external' AND account_id = '${to}'`,
  );
  await session.visit(await scene.portal.authorizationUrl({ scope: 'openid eid' }));
  const { left } = session;
  await expect(scene.portal.exchange(left)).rejects.toThrow(/unexpected HTTP response status/);
  expect(JSON.stringify(vestibule.logs)).not.toContain(NUMBER);
});
