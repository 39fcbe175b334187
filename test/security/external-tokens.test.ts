import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { exportJWK, exportSPKI, generateKeyPair, importJWK, type JWK } from 'jose';
import { auditOf } from '../flows/arrange.ts';
import { type EvilScript, EvilUpstream, type TokenScript } from '../support/evil-upstream.ts';
import { appoint, CLIENT_ID, claimsAt, link, passBy, providerFile, signInAs } from '../support/external.ts';
import { Portal } from '../support/portal.ts';
import { crowd } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { begin, expectRefused, expectUsable, type Scene } from './support/external.ts';
import { mutuelle } from './support/people.ts';

const RSA = { alg: 'RSA-OAEP-256', enc: 'A128CBC-HS256' };
const SUB = 'citizen-with-an-account';
const people = crowd({ plain: {} }, 80);

let evil: EvilUpstream;
let other: EvilUpstream;
let vestibule: Vestibule;
let scene: Scene;
let owner: Person;
let ours: JWK;

beforeAll(async () => {
  const now = () => vestibule?.now() ?? Date.now();
  [evil, other] = await Promise.all([EvilUpstream.start(CLIENT_ID, now), EvilUpstream.start(CLIENT_ID, now)]);
  const sealed = { signed_with: ['RS256'], encrypted_with: { alg: [RSA.alg], enc: [RSA.enc] } };
  const signed = { signed_with: ['RS256'] };
  vestibule = await startVestibule({
    clients: [mutuelle],
    providers: {
      evil: providerFile(evil),
      sealed: providerFile(evil, { id_token: sealed }),
      signed: providerFile(evil, { userinfo: { jwt: signed } }),
      shared: providerFile(evil, { id_token: { signed_with: ['HS256'] } }),
    },
    people: people.everybody,
    settings: { limits: { address: { count: 10_000 } } },
  });
  scene = { vestibule, evil, portal: await Portal.discover(vestibule, mutuelle) };
  owner = people.next('plain');
  await claimsAt(scene, await link(scene, { sub: SUB }, owner));
  const published = await (await fetch(`${vestibule.issuer}/external/jwks`)).json();
  ours = (published as { keys: JWK[] }).keys.find(({ alg }) => alg === RSA.alg) as JWK;
});
afterAll(async () => {
  await vestibule?.stop();
  await Promise.all([evil?.stop(), other?.stop()]);
});
beforeEach(() => evil.reset());

const seconds = (): number => Math.floor(vestibule.now() / 1000);

/** @param idToken laid over that of somebody who has an account; the sign-in is refused, and goes on with a password */
async function refuses(idToken: TokenScript, reason: RegExp, provider = 'evil', also: EvilScript = {}): Promise<void> {
  evil.script = also;
  appoint(evil, { sub: SUB }, idToken);
  const { visitor, first } = await begin(scene);
  await passBy(visitor, evil, { provider });
  await expectRefused(scene, visitor.page, reason);
  expect(evil.faults).toEqual([]);
  evil.reset();
  await expectUsable(scene, visitor, first, people.next('plain'));
}

test('the right token signs in, so that what follows is refused for what it is', async () => {
  expect((await claimsAt(scene, await signInAs(scene, { sub: SUB })))?.amr ?? []).toEqual([]);
  evil.reset();
  appoint(evil, { sub: SUB }, { encrypt: { ...RSA, key: ours } });
  const { visitor } = await begin(scene);
  await passBy(visitor, evil, { provider: 'sealed' });
  await claimsAt(scene, visitor);
});

describe('42 upstream validation: an ID token', () => {
  const CLAIMS: readonly (readonly [string, () => Readonly<Record<string, unknown>>, RegExp])[] = [
    ['of another issuer', () => ({ iss: 'https://other.example' }), /id_token/],
    ['of no issuer', () => ({ iss: undefined }), /id_token/],
    ['for another client', () => ({ aud: 'other' }), /id_token/],
    ['for several clients, without azp', () => ({ aud: [CLIENT_ID, 'other'] }), /id_token.*azp/],
    ['given to another client', () => ({ aud: [CLIENT_ID, 'other'], azp: 'other' }), /id_token.*azp/],
    ['with another nonce', () => ({ nonce: '0'.repeat(64) }), /id_token.*nonce/],
    ['without nonce', () => ({ nonce: undefined }), /id_token.*nonce/],
    ['of another access token', () => ({ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }), /id_token.*at_hash/],
    ['that has expired', () => ({ exp: seconds() - 60 }), /id_token/],
    ['that never expires', () => ({ exp: undefined }), /id_token/],
    ['of the future', () => ({ iat: seconds() + 300 }), /id_token.*future/],
    ['not valid yet', () => ({ nbf: seconds() + 300 }), /id_token/],
    ['of nobody', () => ({ sub: '' }), /subject/],
    ['of a list of people', () => ({ sub: [SUB] }), /subject|id_token/],
  ];
  test.each(CLAIMS)('%s is refused', (_what, claims, reason) => refuses({ claims: claims() }, reason));

  test('without a signature is refused', () => refuses({ alg: 'none' }, /id_token.*algorithm/));

  test('signed by the key of another provider, under the right name, is refused', () =>
    refuses({ key: other.signing.get('RS256')?.key as never }, /id_token.*signature/));

  test('signed by a key that it brings along is refused', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    await refuses({ key: privateKey, header: { jwk: await exportJWK(publicKey) } }, /id_token.*signature/);
  });

  test.each(['evil', 'shared'])('HS256 with the public key is refused (%s)', async (provider) => {
    const jwk = evil.signing.get('RS256')?.jwk as JWK;
    const pem = await exportSPKI((await importJWK(jwk, 'RS256')) as never);
    const idToken = { alg: 'HS256', key: new TextEncoder().encode(pem), header: { kid: jwk.kid } };
    await refuses(idToken, /id_token.*(algorithm|signature)/, provider);
  });

  test('absent is refused', () => refuses({}, /token_endpoint/, 'evil', { token: { id_token: undefined } }));
});

test('42 upstream validation: what was refused stands in the audit trail, with its reason', async () => {
  const lines = async () =>
    (await auditOf(vestibule, 'login.failed')).filter((line) => JSON.stringify(line).includes('id_token'));
  const before = (await lines()).length;
  await refuses({ claims: { aud: 'other' } }, /id_token/);
  expect(await lines()).toHaveLength(before + 1);
});

describe('42 upstream validation: an encrypted ID token', () => {
  test('that is not encrypted is refused', () => refuses({}, /id_token.*not encrypted/, 'sealed'));

  test.each([
    ['claims alone', (sub: string) => ({ plaintext: JSON.stringify({ sub }) })],
    ['an unsigned token', () => ({ alg: 'none' })],
  ])('with %s inside is refused', async (_what, of) => {
    const { alg, ...inside } = of(SUB) as { alg?: string; plaintext?: string };
    const encrypt = { ...RSA, key: ours, ...inside };
    await refuses({ encrypt, ...(alg ? { alg } : {}) }, /id_token/, 'sealed');
  });

  test('signed by another provider inside is refused', () =>
    refuses(
      { encrypt: { ...RSA, key: ours }, key: other.signing.get('RS256')?.key as never },
      /id_token.*signature/,
      'sealed',
    ));

  test('to a key that is not ours is refused', async () => {
    const { publicKey } = await generateKeyPair(RSA.alg, { extractable: true });
    const key = { ...(await exportJWK(publicKey)), kid: ours.kid as string };
    await refuses({ encrypt: { ...RSA, key } }, /id_token/, 'sealed');
  });
});

describe('54 JWE bomb', () => {
  test('zip is refused before anything is unpacked', () =>
    refuses({ encrypt: { ...RSA, key: ours, header: { zip: 'DEF' } } }, /id_token.*compressed/, 'sealed'));

  test('a token of half a megabyte is refused', () =>
    refuses({ claims: { padding: 'x'.repeat(500_000) } }, /too_large/));
});

describe('42 upstream validation: userinfo', () => {
  const about =
    (script: EvilScript['userinfo'], reason: RegExp, provider = 'evil') =>
    async () => {
      appoint(evil, { sub: SUB });
      evil.script = { ...evil.script, userinfo: { ...evil.script.userinfo, ...script } };
      const { visitor, first } = await begin(scene);
      await passBy(visitor, evil, { provider });
      await expectRefused(scene, visitor.page, reason);
      evil.reset();
      await expectUsable(scene, visitor, first, people.next('plain'));
    };

  test('about somebody else is refused', about({ claims: { sub: 'citizen-else' } }, /userinfo/));
  test('about nobody is refused', about({ claims: { sub: undefined } }, /userinfo/));
  test('that is no JSON is refused', about({ raw: '<html>mellon</html>' }, /userinfo/));
  test('of 5 MB is refused', about({ raw: JSON.stringify({ sub: SUB, x: 'x'.repeat(5_000_000) }) }, /too_large/));
  test(
    'that must be signed and is not, is refused',
    about({ raw: JSON.stringify({ sub: SUB }) }, /userinfo/, 'signed'),
  );
  test(
    'signed with nothing is refused',
    about({ jwt: true, alg: 'none', claims: { sub: SUB } }, /userinfo.*algorithm/, 'signed'),
  );
  test(
    'for another client is refused',
    about({ jwt: true, claims: { sub: SUB, aud: 'other' } }, /userinfo.*aud/, 'signed'),
  );
});
