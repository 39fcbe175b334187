import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { exportSPKI, generateKeyPair, importJWK, type JWK } from 'jose';
import { createGuardedFetch } from '../../../src/federation/guarded-fetch.ts';
import type { RelyingParty } from '../../../src/federation/relying-party.ts';
import { unavailable } from '../../../src/kernel/errors.ts';
import { type EvilScript, EvilUpstream } from '../../support/evil-upstream.ts';
import { CLIENT_ID, clock, keys, relyingParty, SECRET, signIn } from './arrange.ts';

const RSA = { alg: ['RSA-OAEP-256'], enc: ['A128CBC-HS256'] };
let evil: EvilUpstream;
let encryptionKey: JWK;

beforeAll(async () => {
  evil = await EvilUpstream.start(CLIENT_ID, clock.now);
  [encryptionKey] = (await keys.publicJwks(['RSA-OAEP-256'])).keys as unknown as [JWK];
});
afterAll(() => evil.stop());
beforeEach(() => evil.reset());

const seconds = () => Math.floor(clock.now() / 1000);
const refused = async (party: RelyingParty, wanted = {}) => {
  const error = await signIn(evil, party, wanted).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: 'UpstreamError' });
  expect(evil.faults).toEqual([]);
  const { reason, message, cause } = error as Error & { reason: string };
  expect(cause).toBeUndefined();
  expect(message).not.toMatch(/mellon|access-token-of|code-\d|person-1|eyJ/);
  expect(message).not.toContain(SECRET);
  return `${reason}: ${message}`;
};

const refusesIdToken = (idToken: NonNullable<EvilScript['idToken']>, what: RegExp, name: string) =>
  test(`ID token: ${name}`, async () => {
    evil.script = { idToken };
    expect(await refused(relyingParty(evil))).toMatch(what);
  });

describe('ID token', () => {
  refusesIdToken({ claims: { iss: 'https://other.example' } }, /^id_token: .*"iss"/, 'wrong iss');
  refusesIdToken({ claims: { iss: undefined } }, /^id_token: .*"iss"/, 'no iss');
  refusesIdToken({ claims: { aud: 'other' } }, /^id_token: .*"aud"/, 'wrong aud');
  refusesIdToken({ claims: { aud: ['other', 'another'] } }, /^id_token: .*"aud"/, 'aud without us');
  refusesIdToken({ claims: { aud: [CLIENT_ID, 'other'] } }, /^id_token: .*azp/, 'several aud, no azp');
  refusesIdToken({ claims: { aud: [CLIENT_ID, 'other'], azp: 'other' } }, /^id_token: .*azp/, 'wrong azp');
  refusesIdToken({ claims: { azp: 'other' } }, /^id_token: .*azp/, 'wrong azp beside a single aud');
  refusesIdToken({ claims: { nonce: 'another' } }, /^id_token: .*nonce/, 'wrong nonce');
  refusesIdToken({ claims: { nonce: undefined } }, /^id_token: .*nonce/, 'no nonce');
  refusesIdToken({ claims: { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' } }, /^id_token: .*at_hash/, 'wrong at_hash');
  refusesIdToken({ claims: { at_hash: 1 } }, /^id_token: .*at_hash/, 'at_hash of another type');
  refusesIdToken({ claims: { exp: Math.floor(Date.now() / 1000) - 11 } }, /^id_token: .*"exp"/, 'expired');
  refusesIdToken({ claims: { exp: undefined } }, /^id_token: .*"exp"/, 'no exp');
  refusesIdToken({ claims: { iat: Math.floor(Date.now() / 1000) + 300 } }, /^id_token: .*future/, 'iat in the future');
  refusesIdToken({ claims: { iat: undefined } }, /^id_token: .*"iat"/, 'no iat');
  refusesIdToken({ claims: { nbf: Math.floor(Date.now() / 1000) + 300 } }, /^id_token: .*"nbf"/, 'nbf in the future');
  refusesIdToken({ claims: { sub: '' } }, /^subject/, 'empty sub');
  refusesIdToken({ claims: { sub: 17 } }, /^subject/, 'sub that is no text');
  refusesIdToken({ alg: 'none' }, /^id_token: .*algorithm/, 'alg none');
  refusesIdToken({ alg: 'ES256' }, /^id_token: .*algorithm/, 'algorithm that is not the preset’s');
  refusesIdToken({ header: { crit: ['x'], x: 1 } }, /^id_token/, 'critical header nobody knows');
  refusesIdToken({ header: { kid: 'key-unknown' } }, /^id_token: no applicable key/, 'unknown key');
  refusesIdToken({ raw: 'not.a.token' }, /^id_token/, 'no token at all');
  refusesIdToken({ raw: '' }, /^id_token/, 'empty');
  refusesIdToken(
    { encrypt: { ...{ alg: 'RSA-OAEP-256', enc: 'A128CBC-HS256' }, key: new Uint8Array() }, raw: 'a.b.c.d.e' },
    /^id_token: not a signed token/,
    'encrypted though it must not be',
  );

  test('key of another provider under the right name', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    evil.script = { idToken: { key: privateKey } };
    expect(await refused(relyingParty(evil))).toMatch(/^id_token: signature verification failed/);
  });

  test('key brought along in the header', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const { exportJWK } = await import('jose');
    evil.script = { idToken: { key: privateKey, header: { jwk: await exportJWK(publicKey) } } };
    expect(await refused(relyingParty(evil))).toMatch(/^id_token: signature verification failed/);
  });

  test.each([
    ['refused where it is not the preset’s', ['RS256'], /algorithm/],
    ['verified with the secret where it is', ['HS256'], /signature verification failed/],
  ])('HS256 with a public key: %s', async (_name, signedWith, what) => {
    const jwk = evil.signing.get('RS256')?.jwk as JWK;
    const pem = await exportSPKI((await importJWK(jwk, 'RS256')) as never);
    evil.script = { idToken: { alg: 'HS256', key: new TextEncoder().encode(pem), header: { kid: jwk.kid } } };
    expect(await refused(relyingParty(evil, { idToken: { signedWith } }))).toMatch(what);
  });

  test('HS256 where there is no secret', async () => {
    evil.script = { idToken: { alg: 'HS256', key: new Uint8Array(32) } };
    const authentication = { method: 'private_key_jwt', alg: 'RS256', audience: 'issuer' } as const;
    expect(await refused(relyingParty(evil, { authentication, idToken: { signedWith: ['HS256'] } }))).toMatch(/secret/);
  });

  test('absent', async () => {
    evil.script = { token: { id_token: undefined } };
    expect(await refused(relyingParty(evil))).toMatch(/^token_endpoint: .*no ID token/);
  });
});

describe('encrypted ID token', () => {
  const right = { alg: 'RSA-OAEP-256', enc: 'A128CBC-HS256' };
  const party = () => relyingParty(evil, { idToken: { signedWith: ['RS256'], encryptedWith: RSA } });

  test('not encrypted', async () => {
    expect(await refused(party())).toMatch(/^id_token: not encrypted/);
  });

  test('unsigned inside', async () => {
    const plaintext = JSON.stringify(evil.idTokenClaims('nonce'));
    evil.script = { idToken: { encrypt: { ...right, key: encryptionKey, plaintext } } };
    expect(await refused(party())).toMatch(/^id_token: not a signed token/);
    evil.script = { idToken: { alg: 'none', encrypt: { ...right, key: encryptionKey } } };
    expect(await refused(party())).toMatch(/^id_token: .*algorithm/);
  });

  test('signed by another inside', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    evil.script = { idToken: { key: privateKey, encrypt: { ...right, key: encryptionKey } } };
    expect(await refused(party())).toMatch(/^id_token: signature verification failed/);
  });

  test('compressed', async () => {
    evil.script = { idToken: { encrypt: { ...right, key: encryptionKey, header: { zip: 'DEF' } } } };
    expect(await refused(party())).toMatch(/^id_token: compressed/);
  });

  test('other algorithms than the preset’s', async () => {
    evil.script = { idToken: { encrypt: { ...right, enc: 'A256GCM', key: encryptionKey } } };
    expect(await refused(party())).toMatch(/^id_token: "enc"/);
    evil.script = { idToken: { encrypt: { alg: 'dir', enc: 'A256GCM', key: derived() } } };
    expect(await refused(party())).toMatch(/^id_token: "alg"/);
  });

  test('to another key', async () => {
    const { publicKey } = await generateKeyPair('RSA-OAEP-256', { extractable: true });
    const { exportJWK } = await import('jose');
    const foreign = await exportJWK(publicKey);
    evil.script = { idToken: { encrypt: { ...right, key: { ...foreign, kid: 'foreign' } } } };
    expect(await refused(party())).toMatch(/^id_token: encrypted to a key that is not ours/);
    evil.script = { idToken: { encrypt: { ...right, key: { ...foreign, kid: encryptionKey.kid as string } } } };
    expect(await refused(party())).toMatch(/^id_token: decryption/);
  });
});

describe('the answer through the browser', () => {
  const answered = async (change: (parameters: URLSearchParams) => void) => {
    const party = relyingParty(evil);
    const { url, secrets } = await party.authorizationRequest({});
    const parameters = evil.approve(url);
    change(parameters);
    return party.identity(parameters, secrets).catch((error) => error);
  };

  test.each([
    ['another state', (answer: URLSearchParams) => answer.set('state', '0'.repeat(64)), { reason: 'state' }],
    ['no state', (answer: URLSearchParams) => answer.delete('state'), { reason: 'state' }],
    ['code twice', (answer: URLSearchParams) => answer.append('code', 'other'), { reason: 'parameters' }],
    ['state twice', (answer: URLSearchParams) => answer.append('state', 'other'), { reason: 'parameters' }],
    [
      'anything twice',
      (answer: URLSearchParams) => ['a', 'b'].map((x) => answer.append('x', x)),
      { reason: 'parameters' },
    ],
    ['no code', (answer: URLSearchParams) => answer.delete('code'), { reason: 'parameters' }],
    [
      'another issuer (RFC 9207)',
      (answer: URLSearchParams) => answer.set('iss', 'https://x.example'),
      { reason: 'issuer' },
    ],
    [
      'turned back',
      (answer: URLSearchParams) => answer.set('error', 'access_denied'),
      { reason: 'cancelled', cancelled: true },
    ],
    ['an error', (answer: URLSearchParams) => answer.set('error', 'a\nb'), { reason: 'refused', cancelled: false }],
    ['an ID token', (answer: URLSearchParams) => answer.set('id_token', 'x'), { reason: 'token_endpoint' }],
  ])('%s', async (_name, change, expected) => {
    const error = await answered(change);
    expect(error).toMatchObject({ name: 'UpstreamError', ...expected });
    expect(error.message).not.toContain('\n');
    expect(evil.count('/token')).toBe(0);
  });

  test('no issuer though the metadata promises one', async () => {
    evil.script = { metadata: { authorization_response_iss_parameter_supported: true } };
    expect(await refused(relyingParty(evil))).toMatch(/^issuer/);
    evil.script = { ...evil.script, answer: { iss: evil.issuer } };
    expect(await signIn(evil, relyingParty(evil))).toMatchObject({ subject: 'person-1' });
  });

  test('the code again', async () => {
    const party = relyingParty(evil);
    const { url, secrets } = await party.authorizationRequest({});
    const answer = evil.approve(url);
    await party.identity(answer, secrets);
    await expect(party.identity(answer, secrets)).rejects.toMatchObject({ reason: 'token_endpoint' });
    await expect(party.identity(answer, secrets)).rejects.toThrow(/\(invalid_grant\)$/);
  });

  test('a code of another request', async () => {
    const party = relyingParty(evil);
    const [mine, other] = [await party.authorizationRequest({}), await party.authorizationRequest({})];
    const answer = evil.approve(other.url);
    answer.set('state', mine.secrets.state);
    await expect(party.identity(answer, mine.secrets)).rejects.toMatchObject({ reason: 'token_endpoint' });
  });
});

describe('userinfo', () => {
  const jwt = { signedWith: ['RS256'] };

  test('about somebody else', async () => {
    evil.script = { userinfo: { claims: { sub: 'person-2' } } };
    expect(await refused(relyingParty(evil))).toMatch(/^userinfo: .*sub/);
    evil.script = { userinfo: { jwt: true, claims: { sub: undefined } } };
    expect(await refused(relyingParty(evil, { userinfo: { fetched: true, jwt } }))).toMatch(/^userinfo: .*sub/);
  });

  test('five megabytes, announced or not', async () => {
    for (const chunked of [false, true]) {
      evil.script = { chunked, userinfo: { claims: { picture: 'x'.repeat(5_000_000) } } };
      expect(await refused(relyingParty(evil))).toMatch(/^too_large/);
    }
  });

  test('plain though it must be signed', async () => {
    expect(await refused(relyingParty(evil, { userinfo: { fetched: true, jwt } }))).toMatch(/^userinfo: not a signed/);
  });

  test('a JWT though it must be plain', async () => {
    evil.script = { userinfo: { jwt: true } };
    expect(await refused(relyingParty(evil))).toMatch(/^userinfo/);
    evil.script = { userinfo: { jwt: true, contentType: 'application/json' } };
    expect(await refused(relyingParty(evil))).toMatch(/^userinfo/);
  });

  test('unsigned, of another key, issuer or audience', async () => {
    const party = () => relyingParty(evil, { userinfo: { fetched: true, jwt } });
    const { privateKey } = await generateKeyPair('RS256');
    for (const script of [{ alg: 'none' }, { key: privateKey }, { claims: { iss: 'x' } }, { claims: { aud: 'x' } }]) {
      evil.script = { userinfo: { jwt: true, ...script } };
      expect(await refused(party())).toMatch(/^userinfo/);
    }
  });

  test('something that is no object', async () => {
    for (const raw of ['[]', '"x"', 'null', '{"sub":"person-1"', '<p>']) {
      evil.script = { userinfo: { raw } };
      expect(await refused(relyingParty(evil))).toMatch(/^userinfo/);
    }
  });

  test('none where one is due', async () => {
    evil.script = { metadata: { userinfo_endpoint: undefined } };
    expect(await refused(relyingParty(evil))).toMatch(/^userinfo/);
    evil.script = { fails: 'userinfo' };
    expect(await refused(relyingParty(evil))).toMatch(/^userinfo: the upstream answered 500/);
  });
});

describe('discovery and the way there', () => {
  test('an issuer that differs, be it by a slash', async () => {
    for (const issuer of [`${evil.issuer}/`, 'https://other.example', undefined]) {
      evil.script = { metadata: { issuer } };
      expect(await refused(relyingParty(evil))).toMatch(/^metadata: .*another issuer/);
    }
  });

  test('addresses that can’t be used', async () => {
    for (const token_endpoint of [
      'http://example.org/token',
      'javascript:alert(1)',
      7,
      '',
      `${evil.issuer}/t#x`,
      'https://a:b@x.example/',
    ]) {
      evil.script = { metadata: { token_endpoint } };
      expect(await refused(relyingParty(evil))).toMatch(/^metadata: token_endpoint/);
    }
    evil.script = { metadata: { jwks_uri: undefined } };
    expect(await refused(relyingParty(evil))).toMatch(/^metadata: .*jwks_uri/);
  });

  test('private addresses: neither those of the issuer’s own machine nor of the network', async () => {
    const hosts = [
      '127.0.0.1:1',
      '10.0.0.1',
      '169.254.169.254',
      '[::1]',
      '[::ffff:10.0.0.1]',
      '[fe80::1]',
      '192.168.1.1',
    ];
    for (const host of [...hosts, '0x7f.1', '2130706433', 'localhost']) {
      evil.script = { metadata: { token_endpoint: `https://${host}/token` } };
      expect(await refused(relyingParty(evil))).toMatch(/^address/);
    }
    evil.reset();
    expect(await refused(relyingParty(evil, {}, { fetch: createGuardedFetch() }))).toMatch(/^address/);
    expect(evil.requests).toHaveLength(0);
  });

  test('redirects', async () => {
    for (const redirects of ['metadata', 'jwks', 'token', 'userinfo'] as const) {
      evil.script = { redirects };
      expect(await refused(relyingParty(evil))).toMatch(/^redirected/);
    }
    expect(evil.count('/elsewhere')).toBe(0);
  });

  test('a certificate nobody issued', async () => {
    const other = await EvilUpstream.start(CLIENT_ID, clock.now, { tls: true });
    const party = relyingParty(other);
    await expect(party.authorizationRequest({})).rejects.toMatchObject({
      reason: 'unreachable',
      message: expect.stringMatching(/SELF_SIGNED/),
    });
    expect(other.requests).toHaveLength(0);
    await other.stop();
  });

  test('nobody there', async () => {
    const gone = await EvilUpstream.start(CLIENT_ID, clock.now);
    await gone.stop();
    await expect(relyingParty(gone).authorizationRequest({})).rejects.toMatchObject({ reason: 'unreachable' });
  });

  test('a byte now and then', async () => {
    for (const drips of ['metadata', 'jwks', 'token', 'userinfo'] as const) {
      evil.script = { drips };
      const started = Date.now();
      expect(await refused(relyingParty(evil, {}, { timeouts: { request: 300, leg: 500 } }))).toMatch(/^too_slow/);
      expect(Date.now() - started).toBeLessThan(3_000);
    }
  });

  test('a leg has one deadline, however many requests it takes', async () => {
    evil.script = { drips: 'token' };
    expect(await refused(relyingParty(evil, {}, { timeouts: { request: 60_000, leg: 300 } }))).toMatch(/^too_slow/);
  });

  test('a key set that is too large, or none', async () => {
    const jwk = evil.signing.get('RS256')?.jwk as JWK;
    evil.script = { jwks: Array.from({ length: 101 }, () => jwk) };
    expect(await refused(relyingParty(evil))).toMatch(/^keys/);
    evil.script = { fails: 'jwks' };
    expect(await refused(relyingParty(evil))).toMatch(/^keys/);
  });

  test('a private or a shared key in the key set', async () => {
    evil.script = { jwks: [{ kty: 'oct', k: 'AAAA', kid: 'key-RS256' }] };
    expect(await refused(relyingParty(evil))).toMatch(/^id_token/);
  });
});

describe('level and freshness', () => {
  test('less than demanded, none, and one nobody knows', async () => {
    for (const acr of ['low', undefined, 'invented', 7, ['high']]) {
      evil.script = { idToken: { claims: { acr } } };
      expect(await refused(relyingParty(evil), { acr: ['urn:substantial'] })).toMatch(/^level/);
    }
  });

  test('a level that the upstream does not have', async () => {
    expect(await refused(relyingParty(evil), { acr: ['urn:other'] })).toMatch(/^level/);
    expect(evil.count('/authorize')).toBe(0);
  });

  test('not asked anew', async () => {
    for (const auth_time of [undefined, seconds() - 60, 'now']) {
      evil.script = { idToken: { claims: { auth_time } } };
      expect(await refused(relyingParty(evil), { login: true })).toMatch(/^authentication_time/);
      expect(await refused(relyingParty(evil), { maxAge: 30 })).toMatch(/^authentication_time/);
    }
  });

  test('a part of the subject is missing', async () => {
    for (const subject of [[{ path: ['tid'], confidential: false }], []]) {
      expect(await refused(relyingParty(evil, { subject }))).toMatch(/^subject/);
    }
  });
});

test('a store of ours that does not answer is no fault of the upstream', async () => {
  const fault = unavailable('storage_unavailable', 5);
  const failing = { ...keys, signingKey: () => Promise.reject(fault), decryptionKeys: () => Promise.reject(fault) };
  const authentication = { method: 'private_key_jwt', alg: 'RS256', audience: 'issuer' } as const;
  await expect(relyingParty(evil, { authentication }, { keys: failing }).authorizationRequest({})).rejects.toBe(fault);
  evil.script = { idToken: { encrypt: { alg: 'RSA-OAEP-256', enc: 'A128CBC-HS256', key: encryptionKey } } };
  const party = relyingParty(evil, { idToken: { signedWith: ['RS256'], encryptedWith: RSA } }, { keys: failing });
  await expect(signIn(evil, party)).rejects.toBe(fault);
});

test('a token that is not bound to our key', async () => {
  evil.script = { token: { token_type: 'Bearer' } };
  expect(await refused(relyingParty(evil, { dpop: true }))).toMatch(/^token_endpoint: .*not bound/);
});

const derived = () => createHash('sha256').update(SECRET).digest();
