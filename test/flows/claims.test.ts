import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { clientFile, Portal } from '../support/portal.ts';
import { type ClientFileContents, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, bruno, signIn } from './arrange.ts';

const mutuelle = clientFile('mutuelle');
const elliptic = clientFile('elliptic', { id_token_signed_response_alg: 'ES256' });
const edwards = clientFile('edwards', { id_token_signed_response_alg: 'EdDSA' });
const reader = clientFile('reader', { vestibule: { first_party: true, profile_in_id_token: true } });
const pairwise = (name: string): ClientFileContents =>
  clientFile(name, { subject_type: 'pairwise', redirect_uris: [`https://${name}.example/callback`] });
const here = pairwise('here');
const there = pairwise('there');

let vestibule: Vestibule;
let visitor: Visitor;

beforeAll(async () => {
  const clients = [mutuelle, elliptic, edwards, reader, here, there];
  vestibule = await startVestibule({ clients, people: [alice, bruno] });
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

/** What a portal learns of a person by ID token and by userinfo. */
async function learn(
  file: ClientFileContents,
  parameters: Readonly<Record<string, string>>,
  person = alice as typeof bruno,
) {
  const portal = await Portal.discover(vestibule, file);
  const tokens = await portal.exchange(await signIn(visitor, portal, parameters, person));
  const idToken: Record<string, unknown> = { ...tokens.claims() };
  const userinfo = await portal.userinfo(tokens.access_token, tokens.claims()?.sub);
  return { idToken, userinfo: userinfo as Record<string, unknown>, tokens };
}

const EVERYTHING = 'openid profile email address phone';
const { phone_number, phone_number_verified, address, ...names } = alice.profile;
const PROFILE = { ...names, preferred_username: 'alice', updated_at: expect.any(Number) };
const EMAIL = { email: 'alice@example.org', email_verified: true };
const PROTOCOL = ['sub', 'acr', 'amr', 'auth_time', 'nonce', 'aud', 'exp', 'iat', 'iss'];

describe('ID tokens', () => {
  test.each([
    ['RS256', mutuelle],
    ['ES256', elliptic],
    ['EdDSA', edwards],
  ])('are signed with %s where the client’s file says so', async (alg, file) => {
    const { tokens } = await learn(file, {});
    const keys = createRemoteJWKSet(new URL('/jwks', vestibule.issuer));
    const { protectedHeader } = await jwtVerify(tokens.id_token ?? '', keys, {
      issuer: vestibule.issuer,
      audience: file.client_id,
      currentDate: new Date(vestibule.now()),
    });
    expect(protectedHeader).toMatchObject({ alg, kid: expect.any(String) });
  });

  test('say what was proven and when, and nothing of the profile', async () => {
    const { idToken } = await learn(mutuelle, { scope: EVERYTHING });
    expect(Object.keys(idToken).toSorted()).toEqual(PROTOCOL.toSorted());
    expect(idToken).toMatchObject({ amr: ['pwd'], acr: 'https://refeds.org/profile/sfa' });
    expect(Math.abs(Number(idToken.auth_time) - vestibule.now() / 1000)).toBeLessThan(10);
  });

  test('hold the profile as well for a client that reads nothing else', async () => {
    const { idToken, userinfo } = await learn(reader, { scope: EVERYTHING });
    expect(idToken).toMatchObject({ ...PROFILE, ...EMAIL, phone_number, phone_number_verified, address });
    expect(userinfo).toMatchObject({ ...PROFILE, ...EMAIL });
  });
});

describe('scopes', () => {
  test('bring everything the account has, under the standard names', async () => {
    const { userinfo } = await learn(mutuelle, { scope: EVERYTHING });
    expect(userinfo).toEqual({
      sub: expect.any(String),
      ...PROFILE,
      ...EMAIL,
      phone_number,
      phone_number_verified,
      address,
    });
  });

  test.each([
    ['openid', {}],
    ['openid email', EMAIL],
    ['openid profile', PROFILE],
    ['openid phone', { phone_number, phone_number_verified }],
    ['openid address', { address }],
    ['openid unheard-of', {}],
  ])('%s brings its claims and no others', async (scope, expected) => {
    const { userinfo } = await learn(mutuelle, { scope });
    expect(userinfo).toEqual({ sub: expect.any(String), ...expected });
  });

  test('bring nothing that an account does not have', async () => {
    const { userinfo } = await learn(mutuelle, { scope: EVERYTHING }, bruno);
    expect(Object.keys(userinfo).toSorted()).toEqual(['preferred_username', 'sub', 'updated_at']);
  });
});

describe('single claims', () => {
  const claims = JSON.stringify({
    id_token: { email: null, given_name: { essential: true } },
    userinfo: { birthdate: null, phone_number: { essential: true }, address: null },
  });

  test('come where they were asked for, voluntary and essential ones', async () => {
    const { idToken, userinfo } = await learn(mutuelle, { claims });
    expect(Object.keys(idToken).toSorted()).toEqual([...PROTOCOL, 'email', 'given_name'].toSorted());
    expect(idToken).toMatchObject({ email: 'alice@example.org', given_name: 'Alice' });
    expect(userinfo).toEqual({ sub: idToken.sub, birthdate: '1990-02-28', phone_number, address });
  });

  test('beside scopes', async () => {
    const { idToken, userinfo } = await learn(mutuelle, { scope: 'openid email', claims });
    expect(idToken.given_name).toBe('Alice');
    expect(userinfo).toMatchObject({ ...EMAIL, birthdate: '1990-02-28' });
  });

  test('stay away where an account has none, also essential ones', async () => {
    const { idToken, userinfo } = await learn(mutuelle, { claims }, bruno);
    expect(idToken).not.toHaveProperty('given_name');
    expect(userinfo).toEqual({ sub: idToken.sub });
  });
});

describe('pairwise subjects', () => {
  test('differ from portal to portal, are the same each time, and say nothing of the account', async () => {
    const shared = (await learn(mutuelle, {})).idToken.sub;
    visitor = new Visitor(vestibule);
    const first = (await learn(here, {})).idToken.sub;
    visitor = new Visitor(vestibule);
    const again = await learn(here, {});
    visitor = new Visitor(vestibule);
    const elsewhere = (await learn(there, {})).idToken.sub;
    expect(again.idToken.sub).toBe(first);
    expect(again.userinfo.sub).toBe(first);
    expect(new Set([shared, first, elsewhere]).size).toBe(3);
  });
});
