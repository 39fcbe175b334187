import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { clientFile, Portal } from '../support/portal.ts';
import { type ClientFileContents, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, answerAt, bearer, call, errorAt, jsonOf, signIn, signInSilently } from './arrange.ts';

const TYPES = ['id_token', 'id_token token', 'code id_token', 'code token', 'code id_token token'] as const;
const web = (name: string, over: object): ClientFileContents =>
  clientFile(name, {
    redirect_uris: [`https://${name}.example/callback`],
    post_logout_redirect_uris: [],
    ...over,
  });
const everything = web('everything', {
  response_types: ['code', ...TYPES],
  grant_types: ['authorization_code', 'implicit'],
});
const implicitOnly = web('implicit-only', { response_types: ['id_token'], grant_types: ['implicit'] });
const codeOnly = web('code-only', {});
const silent = web('silent', { response_types: ['code', 'none'] });

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [everything, implicitOnly, codeOnly, silent], people: [alice] });
  portal = await Portal.discover(vestibule, everything);
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

/** Half of the SHA-256 of a code or token, as ID tokens signed with RS256 name it. */
const halfHash = (value: string): string =>
  createHash('sha256').update(value).digest().subarray(0, 16).toString('base64url');

const verified = async (idToken: string) => {
  const keys = createRemoteJWKSet(new URL('/jwks', vestibule.issuer));
  const options = { issuer: vestibule.issuer, audience: 'everything', currentDate: new Date(vestibule.now()) };
  return (await jwtVerify(idToken, keys, options)).payload;
};

describe('a client whose file asks for it', () => {
  test.each(TYPES)('gets %s in the fragment, with hashes that tie it together', async (response_type) => {
    const callback = await signIn(visitor, portal, { response_type, scope: 'openid email' });
    expect(callback.search).toBe('');
    const answer = answerAt(callback);
    const parts = response_type.split(' ');
    expect([answer.has('code'), answer.has('id_token'), answer.has('access_token')]).toEqual(
      ['code', 'id_token', 'token'].map((part) => parts.includes(part)),
    );
    expect(answer.get('state')).toBeTruthy();
    if (!parts.includes('id_token')) return;
    const claims = await verified(answer.get('id_token') ?? '');
    const pending = portal.pending(new URL(`?state=${answer.get('state')}`, callback));
    expect(claims.nonce).toBe(pending?.nonce);
    expect(claims.c_hash).toBe(answer.has('code') ? halfHash(answer.get('code') ?? '') : undefined);
    expect(claims.at_hash).toBe(answer.has('access_token') ? halfHash(answer.get('access_token') ?? '') : undefined);
  });

  test('gets the claims of the scopes in the ID token where there is no access token to ask with', async () => {
    const only = answerAt(await signIn(visitor, portal, { response_type: 'id_token', scope: 'openid email' }));
    expect(await verified(only.get('id_token') ?? '')).toMatchObject({ email: alice.email });
    const both = answerAt(
      await signInSilently(visitor, portal, { response_type: 'id_token token', scope: 'openid email' }),
    );
    expect(await verified(both.get('id_token') ?? '')).not.toHaveProperty('email');
    const userinfo = await call(vestibule, '/me', { headers: bearer(both.get('access_token') ?? '') });
    expect(await jsonOf(userinfo)).toMatchObject({ email: alice.email });
  });

  test('can use a library for it: ID token alone', async () => {
    const { configuration } = portal;
    client.useIdTokenResponseType(configuration);
    const callback = await signIn(visitor, portal, { response_type: 'id_token' });
    const state = answerAt(callback).get('state') ?? '';
    const nonce = portal.pending(new URL(`?state=${state}`, callback))?.nonce ?? '';
    const claims = await client.implicitAuthentication(configuration, callback, nonce, { expectedState: state });
    expect(claims.aud).toBe('everything');
  });

  test('can use a library for it: code and ID token', async () => {
    const { configuration } = portal;
    client.useCodeIdTokenResponseType(configuration);
    const callback = await signIn(visitor, portal, { response_type: 'code id_token' });
    const expectedState = answerAt(callback).get('state') ?? '';
    const pending = portal.pending(new URL(`?state=${expectedState}`, callback));
    const tokens = await client.authorizationCodeGrant(configuration, callback, {
      expectedState,
      expectedNonce: pending?.nonce ?? '',
      pkceCodeVerifier: pending?.codeVerifier ?? '',
    });
    expect(tokens.claims()?.aud).toBe('everything');
  });

  test('by form, too', async () => {
    await visitor.visit(await portal.authorizationUrl({ response_type: 'code id_token', response_mode: 'form_post' }));
    await visitor.submit({ username: 'alice' });
    await visitor.submit({ password: alice.password });
    expect(visitor.page.forms[0]?.names.toSorted()).toEqual(['code', 'id_token', 'state']);
  });

  test('gets no tokens in the query, where servers log them', async () => {
    const callback = await signInSilently(visitor, portal, { response_type: 'code id_token', response_mode: 'query' });
    expect(errorAt(callback)).toBe('invalid_request');
    expect(callback.searchParams.get('id_token')).toBeNull();
  });

  test('must send a nonce with an ID token', async () => {
    const url = await portal.authorizationUrl({ response_type: 'id_token' });
    url.searchParams.delete('nonce');
    await visitor.visit(url);
    expect(errorAt(visitor.left)).toBe('invalid_request');
  });

  test('is never given a refresh token without a code', async () => {
    const callback = await signIn(visitor, portal, { response_type: 'id_token token', scope: 'openid offline_access' });
    expect(answerAt(callback).has('refresh_token')).toBe(false);
  });
});

describe('a client whose file does not', () => {
  test.each(TYPES)('is refused %s, though another may have it', async (response_type) => {
    const other = await Portal.discover(vestibule, codeOnly);
    const callback = await signInSilently(visitor, other, { response_type });
    expect(errorAt(callback)).toBe('invalid_request');
    expect(answerAt(callback).has('id_token')).toBe(false);
  });

  test('is refused the code, if it may only have ID tokens', async () => {
    const other = await Portal.discover(vestibule, implicitOnly);
    expect(errorAt(await signInSilently(visitor, other, { response_type: 'code' }))).toBe('invalid_request');
    expect(answerAt(await signIn(visitor, other, { response_type: 'id_token' })).has('id_token')).toBe(true);
  });

  test.each(['token', 'none id_token'])('%s is for nobody', async (response_type) => {
    expect(errorAt(await signInSilently(visitor, portal, { response_type }))).toBe('unsupported_response_type');
  });
});

test('a file that the protocol rules out stops the start, not the first visitor', async () => {
  const file = clientFile('on-loopback', { response_types: ['id_token'], grant_types: ['implicit'] });
  await expect(startVestibule({ clients: [file] })).rejects.toThrow(/on-loopback\.yaml[\s\S]*implicit/);
});

test('none: signs in and brings nothing', async () => {
  const other = await Portal.discover(vestibule, silent);
  const callback = await signIn(visitor, other, { response_type: 'none' });
  expect([...callback.searchParams.keys()].toSorted()).toEqual(['iss', 'state']);
});
