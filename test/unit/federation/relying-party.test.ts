import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { calculateJwkThumbprint, exportPKCS8, generateKeyPair, importJWK, type JWK, jwtVerify } from 'jose';
import { createGuardedFetch } from '../../../src/federation/guarded-fetch.ts';
import type { Upstream } from '../../../src/federation/upstream.ts';
import { EvilUpstream } from '../../support/evil-upstream.ts';
import {
  CALLBACK,
  CLIENT_ID,
  claimsOf,
  clock,
  headerOf,
  keyStore,
  keys,
  relyingParty,
  SECRET,
  signIn,
} from './arrange.ts';

let evil: EvilUpstream;

beforeAll(async () => {
  evil = await EvilUpstream.start(CLIENT_ID, clock.now);
});
afterAll(() => evil.stop());
beforeEach(() => evil.reset());

/** The key of ours that is published for the algorithm. */
const published = async (alg: string): Promise<JWK> => {
  const [jwk] = (await keys.publicJwks([alg])).keys;
  return jwk as unknown as JWK;
};
const verified = async (jwt: string | null, alg: string) =>
  (await jwtVerify(jwt ?? '', await importJWK(await published(alg), alg), { currentDate: new Date(clock.now()) }))
    .payload;

describe('the request', () => {
  test('PKCE, state and nonce are always there, and new each time', async () => {
    const party = relyingParty(evil, { parameters: { foo: 'bar', redirect_uri: 'https://x.example', state: 'fixed' } });
    const [one, other] = [await party.authorizationRequest({ language: 'fr' }), await party.authorizationRequest({})];
    const { searchParams } = new URL(one.url);
    expect(one.url.startsWith(`${evil.issuer}/authorize?`)).toBe(true);
    expect(Object.fromEntries(searchParams)).toEqual({
      foo: 'bar',
      response_type: 'code',
      client_id: CLIENT_ID,
      redirect_uri: CALLBACK,
      scope: 'openid profile',
      ui_locales: 'fr',
      state: one.secrets.state,
      nonce: one.secrets.nonce,
      code_challenge: createHash('sha256').update(one.secrets.codeVerifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    expect(one.secrets).toMatchObject({
      state: expect.stringMatching(/^[0-9a-f]{64}$/),
      nonce: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    for (const name of ['state', 'nonce', 'codeVerifier'] as const)
      expect(one.secrets[name]).not.toBe(other.secrets[name]);
    expect(one.secrets.state).not.toBe(one.secrets.nonce);
  });

  test.each<[string, Partial<Upstream>, object, Record<string, string | null>]>([
    ['acr_values', {}, { acr: ['urn:substantial'] }, { acr_values: 'substantial' }],
    ['acr_values, any of two', {}, { acr: ['urn:high', 'urn:low'] }, { acr_values: 'low high' }],
    [
      'acr_values beside others',
      { parameters: { acr_values: 'low phr' } },
      { acr: ['urn:high'] },
      { acr_values: 'high phr' },
    ],
    ['acr_values of the file', { parameters: { acr_values: 'low' } }, {}, { acr_values: 'low' }],
    [
      'claims',
      {
        asksLevelBy: { by: 'claims', claim: 'acr', of: 'id_token' },
        claims: { id_token: { a: null }, userinfo: { b: null } },
      },
      { acr: ['urn:high'] },
      {
        claims: '{"id_token":{"a":null,"acr":{"essential":true,"value":"high"}},"userinfo":{"b":null}}',
        acr_values: null,
      },
    ],
    [
      'claims, none demanded',
      { asksLevelBy: { by: 'claims', claim: 'q', of: 'userinfo' } },
      {},
      { claims: '{"userinfo":{"q":null}}' },
    ],
    [
      'a parameter',
      { asksLevelBy: { by: 'parameter', name: 'idp', value: '{"loa":"{{level}}"}' } },
      { acr: ['urn:high'] },
      { idp: '{"loa":"high"}' },
    ],
    ['nothing', { asksLevelBy: { by: 'nothing' } }, { acr: ['urn:high'] }, { acr_values: null }],
    [
      'login',
      { parameters: { prompt: 'consent' } },
      { login: true, maxAge: 0 },
      { prompt: 'login consent', max_age: '0' },
    ],
    [
      'login where it is not understood',
      { reauthenticates: false },
      { login: true, maxAge: 0 },
      { prompt: null, max_age: null },
    ],
    ['form_post', { responseMode: 'form_post' }, {}, { response_mode: 'form_post' }],
  ])('asks by %s', async (_name, over, wanted, expected) => {
    const { url } = await relyingParty(evil, over).authorizationRequest(wanted);
    const { searchParams } = new URL(url);
    for (const [name, value] of Object.entries(expected)) expect([name, searchParams.get(name)]).toEqual([name, value]);
  });

  test('signed (RFC 9101)', async () => {
    const authentication = { method: 'private_key_jwt', alg: 'EdDSA', audience: 'issuer' } as const;
    const party = relyingParty(evil, { request: 'signed', authentication, claims: { userinfo: { a: null } } });
    const { url, secrets } = await party.authorizationRequest({ maxAge: 5 });
    const { searchParams } = new URL(url);
    expect([...searchParams.keys()].toSorted()).toEqual(['client_id', 'request', 'response_type', 'scope']);
    const object = searchParams.get('request');
    expect(headerOf(object)).toMatchObject({ alg: 'EdDSA', kid: (await published('EdDSA')).kid });
    expect(await verified(object, 'EdDSA')).toMatchObject({
      iss: CLIENT_ID,
      aud: evil.issuer,
      state: secrets.state,
      redirect_uri: CALLBACK,
      max_age: 5,
      claims: { userinfo: { a: null } },
    });
    expect(await party.identity(evil.approve(url), secrets)).toMatchObject({ subject: 'person-1' });
  });

  test('pushed (RFC 9126), with client authentication', async () => {
    const authentication = { method: 'private_key_jwt', alg: 'ES256', audience: 'issuer' } as const;
    const party = relyingParty(evil, { request: 'pushed', authentication });
    const { url, secrets } = await party.authorizationRequest({});
    expect(Object.fromEntries(new URL(url).searchParams)).toEqual({
      client_id: CLIENT_ID,
      request_uri: 'urn:ietf:params:oauth:request_uri:1',
    });
    const { form } = evil.seen('/par');
    expect(form.get('state')).toBe(secrets.state);
    expect(await verified(form.get('client_assertion'), 'ES256')).toMatchObject({ aud: evil.issuer });
    expect(await party.identity(evil.approve(url), secrets)).toMatchObject({ subject: 'person-1' });
  });

  test('pushed, and refused', async () => {
    evil.script = { fails: 'par' };
    await expect(relyingParty(evil, { request: 'pushed' }).authorizationRequest({})).rejects.toMatchObject({
      reason: 'pushed_request',
    });
  });
});

describe('client authentication', () => {
  test.each([
    ['RS256', 'issuer'],
    ['PS256', 'token_endpoint'],
    ['ES256', 'token_endpoint'],
    ['EdDSA', 'issuer'],
  ] as const)('private_key_jwt %s for %s', async (alg, audience) => {
    const party = relyingParty(evil, { authentication: { method: 'private_key_jwt', alg, audience } });
    const assertions: (string | null)[] = [];
    for (let i = 0; i < 2; i++) {
      await signIn(evil, party);
      assertions.push(evil.seen('/token').form.get('client_assertion'));
    }
    const { form } = evil.seen('/token');
    expect(form.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    expect(headerOf(assertions[0] ?? null)).toEqual({ alg, kid: (await published(alg)).kid });
    const payload = await verified(assertions[0] ?? null, alg);
    expect(payload).toMatchObject({ iss: CLIENT_ID, sub: CLIENT_ID });
    expect(payload.aud).toBe(audience === 'issuer' ? evil.issuer : `${evil.issuer}/token`);
    expect(Number(payload.exp) - Number(payload.iat)).toBeLessThanOrEqual(300);
    expect(payload.jti).toMatch(/^.{20,}$/);
    expect(payload.jti).not.toBe(claimsOf(assertions[1]).jti);
  });

  test('client_secret_post', async () => {
    await signIn(evil, relyingParty(evil));
    const { form, headers } = evil.seen('/token');
    expect([form.get('client_id'), form.get('client_secret')]).toEqual([CLIENT_ID, SECRET]);
    expect(headers.authorization).toBeUndefined();
    expect(headers['user-agent']).toBe('Vestibule');
  });

  test('client_secret_basic, each part encoded (RFC 6749 §2.3.1)', async () => {
    const authentication = { method: 'client_secret_basic', secret: 'a:b c%é' } as const;
    await signIn(evil, relyingParty(evil, { authentication }));
    const { form, headers } = evil.seen('/token');
    expect(Buffer.from(headers.authorization?.split(' ')[1] ?? '', 'base64').toString()).toBe(
      `${CLIENT_ID}:a%3Ab+c%25%C3%A9`,
    );
    expect(form.has('client_secret')).toBe(false);
  });

  test('Apple’s signed secret, made anew before its end', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const authentication = {
      method: 'apple',
      teamId: 'TEAM',
      keyId: 'KEY',
      privateKey: await exportPKCS8(privateKey),
    } as const;
    const party = relyingParty(evil, { authentication });
    const secret = async () => {
      await signIn(evil, party);
      return evil.seen('/token').form.get('client_secret') ?? '';
    };
    const first = await secret();
    const { payload, protectedHeader } = await jwtVerify(first, publicKey, { currentDate: new Date(clock.now()) });
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: 'KEY' });
    expect(payload).toMatchObject({ iss: 'TEAM', sub: CLIENT_ID, aud: evil.issuer });
    const lifetime = Number(payload.exp) - Number(payload.iat);
    expect(lifetime).toBeLessThanOrEqual(15_777_000);
    expect(await secret()).toBe(first);
    clock.advance(lifetime - 600);
    expect(await secret()).not.toBe(first);
  });
});

describe('DPoP (RFC 9449)', () => {
  test('proofs with the key of the sign-in, the nonce that is demanded, and a bound code', async () => {
    evil.script = { dpopNonce: 'nonce-of-the-server' };
    const party = relyingParty(evil, { dpop: true, request: 'pushed' });
    const { url, secrets } = await party.authorizationRequest({});
    expect(evil.count('/par')).toBe(2);
    expect(evil.seen('/par').form.get('dpop_jkt')).toBe(await calculateJwkThumbprint(secrets.dpopKey as JWK));
    // As the transaction keeps them.
    const identity = await party.identity(evil.approve(url), JSON.parse(JSON.stringify(secrets)));
    expect(identity.subject).toBe('person-1');
    expect(evil.count('/token')).toBe(2);
    const proof = String(evil.seen('/token').headers.dpop);
    expect(claimsOf(proof)).toMatchObject({ htm: 'POST', htu: `${evil.issuer}/token`, nonce: 'nonce-of-the-server' });
    const { d, ...publicKey } = secrets.dpopKey as JWK;
    expect(d).toBeDefined();
    expect(headerOf(proof)).toMatchObject({ typ: 'dpop+jwt', jwk: publicKey });
    const userinfo = evil.seen('/userinfo').headers;
    expect(userinfo.authorization).toMatch(/^DPoP /);
    expect(claimsOf(String(userinfo.dpop))).toMatchObject({ ath: expect.any(String) });
  });

  test('another key for each sign-in', async () => {
    const party = relyingParty(evil, { dpop: true });
    const [one, other] = [await party.authorizationRequest({}), await party.authorizationRequest({})];
    expect(one.secrets.dpopKey?.x).not.toBe(other.secrets.dpopKey?.x);
  });
});

describe('encrypted tokens', () => {
  const rsa = { alg: 'RSA-OAEP-256', enc: 'A128CBC-HS256' };
  const both = (encryption: { alg: string; enc: string }, signedWith = ['RS256']): Partial<Upstream> => {
    const protection = { signedWith, encryptedWith: { alg: [encryption.alg], enc: [encryption.enc] } };
    return { idToken: protection, userinfo: { fetched: true, jwt: protection } };
  };
  const encryptBoth = (encryption: { alg: string; enc: string }, key: JWK | Uint8Array, more = {}) => {
    const encrypt = { ...encryption, key, ...more };
    evil.script = { idToken: { encrypt }, userinfo: { jwt: true, encrypt, contentType: 'application/json' } };
  };

  test.each([
    ['RSA-OAEP-256', 'A128CBC-HS256'],
    ['RSA-OAEP', 'A256GCM'],
    ['ECDH-ES', 'A256GCM'],
    ['ECDH-ES+A256KW', 'A256CBC-HS512'],
  ])('%s and %s, ID token and userinfo; the hint is the signed token', async (alg, enc) => {
    const key = await published(alg === 'RSA-OAEP' ? 'RSA-OAEP-256' : alg);
    encryptBoth({ alg, enc }, { ...key, alg });
    const identity = await signIn(evil, relyingParty(evil, both({ alg, enc })));
    expect(identity).toMatchObject({ subject: 'person-1', claims: { given_name: 'Ada' } });
    expect(headerOf(identity.idToken)).toMatchObject({ alg: 'RS256' });
  });

  test.each([
    ['A256GCM', 'sha256', 32],
    ['A128GCM', 'sha256', 16],
    ['A128CBC-HS256', 'sha256', 32],
    ['A256CBC-HS512', 'sha512', 64],
  ])('dir and %s, by a key derived from the secret', async (enc, hash, octets) => {
    const key = new Uint8Array(createHash(hash).update(SECRET).digest().subarray(0, octets));
    encryptBoth({ alg: 'dir', enc }, key);
    expect(await signIn(evil, relyingParty(evil, both({ alg: 'dir', enc })))).toMatchObject({ subject: 'person-1' });
  });

  test('HS256 with the secret, where it is the preset’s', async () => {
    evil.script = { idToken: { alg: 'HS256', key: new TextEncoder().encode(SECRET) } };
    const party = relyingParty(evil, { idToken: { signedWith: ['RS256', 'HS256'] } });
    expect(await signIn(evil, party)).toMatchObject({ subject: 'person-1' });
  });

  test('after a rotation what is encrypted to the old key is still read, named or not', async () => {
    const old = await published('RSA-OAEP-256');
    const before = keyStore.stored;
    // New keys, announced a day ago: another server's, sealed by the same box.
    const { createUpstreamKeys } = await import('../../../src/federation/keys.ts');
    const { MemoryKeys, secretBox } = await import('./arrange.ts');
    const other = new MemoryKeys();
    await createUpstreamKeys({ store: other, secretBox, clock }).publicJwks();
    const announced = Math.floor(clock.now() / 1000) - 86_400;
    keyStore.stored = [...before, ...other.stored.map((key) => ({ ...key, position: 1, createdAt: announced }))];
    clock.advance(61);
    try {
      expect((await published('RSA-OAEP-256')).kid).not.toBe(old.kid);
      const { keys: all } = await keys.publicJwks();
      expect(all.filter(({ use }) => use === 'enc')).toHaveLength(3);
      expect(all.filter(({ alg }) => alg === 'RS256')).toHaveLength(2);
      for (const header of [{}, { kid: undefined }]) {
        encryptBoth(rsa, old, { header });
        expect(await signIn(evil, relyingParty(evil, both(rsa)))).toMatchObject({ subject: 'person-1' });
      }
      expect(all.filter(({ alg }) => alg === 'RS256').map(({ kid }) => kid)).toContain(
        before.find(({ alg }) => alg === 'RS256')?.kid,
      );
    } finally {
      keyStore.stored = before;
      clock.advance(61);
    }
  });
});

describe('what is kept of an upstream', () => {
  test('metadata for an hour; longer while it can’t be had', async () => {
    const party = relyingParty(evil);
    const metadata = () => evil.count('/.well-known/openid-configuration');
    await Promise.all([1, 2, 3].map(() => party.authorizationRequest({})));
    expect(metadata()).toBe(1);
    clock.advance(3_601);
    evil.script = { fails: 'metadata' };
    await party.authorizationRequest({});
    await party.authorizationRequest({});
    expect(metadata()).toBe(2);
    clock.advance(60);
    evil.script = { metadata: { authorization_endpoint: `${evil.issuer}/new` } };
    expect((await party.authorizationRequest({})).url).toContain('/new?');
    clock.advance(86_401);
    evil.script = { fails: 'metadata' };
    await expect(party.authorizationRequest({})).rejects.toMatchObject({ reason: 'metadata' });
    // Not asked again at once.
    await expect(party.authorizationRequest({})).rejects.toMatchObject({ reason: 'metadata' });
    expect(metadata()).toBe(4);
  });

  test('keys; fetched anew for an unknown one, once in five minutes', async () => {
    const party = relyingParty(evil);
    const right = evil.signing.get('RS256')?.jwk as JWK;
    evil.script = { jwks: [{ ...right, kid: 'earlier' }] };
    await expect(signIn(evil, party)).rejects.toMatchObject({ reason: 'id_token' });
    expect(evil.count('/jwks')).toBe(2);
    evil.script = {};
    await expect(signIn(evil, party)).rejects.toMatchObject({ reason: 'id_token' });
    expect(evil.count('/jwks')).toBe(2);
    clock.advance(301);
    expect(await signIn(evil, party)).toMatchObject({ subject: 'person-1' });
    expect(evil.count('/jwks')).toBe(3);
    await signIn(evil, party);
    expect(evil.count('/jwks')).toBe(3);
  });

  test('a key set without names: each that fits is tried', async () => {
    const { publicKey } = await generateKeyPair('RS256', { extractable: true });
    const { exportJWK } = await import('jose');
    const { kid: _kid, ...right } = evil.signing.get('RS256')?.jwk ?? { kty: 'RSA' };
    evil.script = { jwks: [await exportJWK(publicKey), right], idToken: { header: { kid: undefined } } };
    expect(await signIn(evil, relyingParty(evil))).toMatchObject({ subject: 'person-1' });
  });
});

describe('the identity', () => {
  test('everything that is learned, by our names', async () => {
    evil.script = {
      userinfo: {
        claims: {
          'http://eid.example/claims/number': '85.07.30-033.28',
          address: { locality: 'Liège' },
          name: ' Ada L. ',
        },
      },
    };
    const party = relyingParty(evil, {
      subject: [{ path: ['http://eid.example/claims/number'], confidential: true }],
      mapping: {
        given_name: ['given_name'],
        name: ['name'],
        locality: ['address', 'locality'],
        email: ['email'],
        email_verified: ['email_verified'],
        family_name: ['family_name'],
        odd: ['__proto__', 'toString'],
      },
    });
    const identity = await signIn(evil, party, { acr: ['urn:low'] });
    expect(identity).toEqual({
      provider: 'evil',
      issuer: evil.issuer,
      subject: '85.07.30-033.28',
      knownBy: '[["http://eid.example/claims/number"]]',
      confidential: true,
      upstreamSubject: 'person-1',
      acr: 'urn:substantial',
      authTime: expect.any(Number),
      amr: ['face'],
      claims: {
        given_name: 'Ada',
        name: ' Ada L. ',
        locality: 'Liège',
        email: 'ada@example.org',
        email_verified: true,
      },
      idToken: expect.stringMatching(/^eyJ/),
      sid: 'session-1',
      label: 'Ada L.',
    });
  });

  test('several parts of a subject', async () => {
    evil.script = { idToken: { claims: { tid: 't', oid: 'o' } } };
    const subject = ['tid', 'oid'].map((name) => ({ path: [name], confidential: false }));
    expect(await signIn(evil, relyingParty(evil, { subject }))).toMatchObject({
      subject: '["t","o"]',
      upstreamSubject: 'person-1',
    });
  });

  test('an address is verified by the token that tells it', async () => {
    evil.script = { idToken: { claims: { email: 'eve@example.org' } }, userinfo: { claims: { email_verified: true } } };
    const { claims } = await signIn(evil, relyingParty(evil));
    expect(claims.email).toBe('eve@example.org');
    expect(claims).not.toHaveProperty('email_verified');
  });

  test.each([
    ['false', false],
    ['yes', undefined],
    [1, undefined],
    [true, true],
  ])('email_verified %p is %p', async (told, expected) => {
    evil.script = { userinfo: { claims: { email_verified: told } } };
    expect((await signIn(evil, relyingParty(evil))).claims.email_verified).toBe(expected);
  });

  test('levels: more than was asked is enough; an upstream that says nothing is worth the default', async () => {
    evil.script = { idToken: { claims: { acr: 'high' } } };
    expect(await signIn(evil, relyingParty(evil), { acr: ['urn:substantial'] })).toMatchObject({ acr: 'urn:high' });
    expect(await signIn(evil, relyingParty(evil, { levels: [] }))).not.toHaveProperty('acr');
    const modest = relyingParty(evil, { levels: [], defaultAcr: 'urn:low' });
    expect(await signIn(evil, modest, { acr: ['urn:low'] })).toMatchObject({ acr: 'urn:low' });
    await expect(modest.authorizationRequest({ acr: ['urn:high'] })).rejects.toMatchObject({ reason: 'level' });
    evil.script = { idToken: { claims: { acr: 'invented' } } };
    expect(await signIn(evil, relyingParty(evil, { defaultAcr: 'urn:low' }))).not.toHaveProperty('acr');
  });

  test('a level told in a claim of userinfo', async () => {
    evil.script = { idToken: { claims: { acr: undefined } }, userinfo: { claims: { 'urn:q': 'high' } } };
    const party = relyingParty(evil, { asksLevelBy: { by: 'claims', claim: 'urn:q', of: 'userinfo' } });
    expect(await signIn(evil, party, { acr: ['urn:high'] })).toMatchObject({ acr: 'urn:high' });
  });

  test('no userinfo where none is to be fetched', async () => {
    await signIn(evil, relyingParty(evil, { userinfo: { fetched: false } }));
    expect(evil.count('/userinfo')).toBe(0);
  });

  test('a clock that differs within what is tolerated', async () => {
    const now = Math.floor(clock.now() / 1000);
    evil.script = { idToken: { claims: { iat: now + 25, exp: now - 25 } } };
    expect(await signIn(evil, relyingParty(evil, { clockTolerance: 30 }))).toMatchObject({ subject: 'person-1' });
  });

  test('asked anew, and it was', async () => {
    expect(await signIn(evil, relyingParty(evil), { login: true, maxAge: 0 })).toMatchObject({ subject: 'person-1' });
  });
});

describe('signing out', () => {
  const logout = (claims = {}, script = {}) => {
    const now = Math.floor(clock.now() / 1000);
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    const right = { iss: evil.issuer, aud: CLIENT_ID, iat: now, exp: now + 120, jti: 'once', sub: 'person-1', events };
    return evil.token({ ...right, ...claims }, script);
  };

  test('there, by a hint', async () => {
    const url = new URL((await relyingParty(evil).endSession('hint', 'https://login.example.org/', 'state')) ?? '');
    expect(url.pathname).toBe('/logout');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      id_token_hint: 'hint',
      client_id: CLIENT_ID,
      post_logout_redirect_uri: 'https://login.example.org/',
      state: 'state',
    });
    const off = { logout: { rpInitiated: false, backChannel: false } };
    expect(await relyingParty(evil, off).endSession('hint', 'x', 'y')).toBeUndefined();
    evil.script = { metadata: { end_session_endpoint: undefined } };
    expect(await relyingParty(evil).endSession('hint', 'x', 'y')).toBeUndefined();
  });

  test('a logout token', async () => {
    const party = relyingParty(evil);
    const told = await party.logoutToken(await logout({ sid: 's' }));
    expect(told).toEqual({ subject: 'person-1', sid: 's', jti: 'once', rememberUntil: expect.any(Number) });
    expect(told.rememberUntil).toBeGreaterThan(clock.now() / 1000 + 600);
    expect(await party.logoutToken(await logout({ sub: undefined, sid: 's', exp: undefined }))).toMatchObject({
      sid: 's',
    });
    const { alg, enc } = { alg: 'RSA-OAEP-256', enc: 'A128CBC-HS256' };
    const encrypt = { alg, enc, key: await published(alg) };
    const encrypting = relyingParty(evil, {
      idToken: { signedWith: ['RS256'], encryptedWith: { alg: [alg], enc: [enc] } },
    });
    expect(await encrypting.logoutToken(await logout({}, { encrypt }))).toMatchObject({ jti: 'once' });
    expect(await encrypting.logoutToken(await logout())).toMatchObject({ jti: 'once' });
    await expect(party.logoutToken(await logout({}, { encrypt }))).rejects.toMatchObject({ reason: 'logout_token' });
  });

  test.each<[string, object, object?]>([
    ['another issuer', { iss: 'https://x.example' }],
    ['another audience', { aud: 'x' }],
    ['a nonce: an ID token', { nonce: 'x' }],
    ['no event', { events: undefined }],
    ['another event', { events: { x: {} } }],
    ['an event that is no object', { events: { 'http://schemas.openid.net/event/backchannel-logout': true } }],
    ['no jti', { jti: undefined }],
    ['about nobody', { sub: undefined }],
    ['too old', { iat: 1, exp: undefined }],
    ['expired', { exp: 1 }],
    ['no iat', { iat: undefined }],
    ['unsigned', {}, { alg: 'none' }],
    ['another algorithm', {}, { alg: 'ES256' }],
    ['HS256', {}, { alg: 'HS256', key: new Uint8Array(32) }],
  ])('a logout token with %s', async (_name, claims, ...[script]) => {
    await expect(relyingParty(evil).logoutToken(await logout(claims, script))).rejects.toMatchObject({
      reason: 'logout_token',
    });
  });

  test('an ID token is none', async () => {
    const token = await evil.token(evil.idTokenClaims(null));
    await expect(relyingParty(evil).logoutToken(token)).rejects.toMatchObject({ reason: 'logout_token' });
    await expect(relyingParty(evil).logoutToken('nonsense')).rejects.toMatchObject({ reason: 'logout_token' });
  });
});

test('the guarded fetch lets a trusted origin be private, and nothing else', async () => {
  const request = { method: 'GET', headers: {}, signal: AbortSignal.timeout(2_000) };
  const guarded = createGuardedFetch([evil.issuer, 'http://192.0.2.1']);
  expect((await guarded(`${evil.issuer}/jwks`, request)).status).toBe(200);
  for (const address of [
    `${evil.issuer}0/jwks`,
    'http://192.0.2.1/',
    'ftp://x.example/',
    'file:///etc/passwd',
    'nonsense',
  ]) {
    await expect(guarded(address, request)).rejects.toMatchObject({ reason: 'address' });
  }
});
