import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { SecretBox } from '../../src/kernel/secret-box.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, call, jsonOf, signIn, signInSilently } from './arrange.ts';

const HOME = 'http://localhost:9/mutuelle';
const mutuelle = clientFile('mutuelle');
const masterKey = randomBytes(32).toString('base64');

let vestibule: Vestibule;

beforeAll(async () => {
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: [alice],
    env: { VESTIBULE_MASTER_KEY: masterKey },
  });
});
afterAll(() => vestibule.stop());

/** Changes the stored keys, then has the running server take them into use. */
async function change(statement: string, ...parameters: (string | number)[]): Promise<void> {
  const database = new DatabaseSync(join(vestibule.directory, '../data/durable.db'));
  database.prepare(statement).run(...parameters);
  database.close();
  const seen = new Set(vestibule.logs);
  vestibule.signal('SIGHUP');
  await vestibule.logged('config.reloaded', (line) => !seen.has(line));
}

const jwks = async (): Promise<JSONWebKeySet> =>
  (await jsonOf(await call(vestibule, '/jwks'))) as unknown as JSONWebKeySet;
const rsaKids = async (): Promise<(string | undefined)[]> =>
  (await jwks()).keys.filter(({ alg }) => alg === 'RS256').map(({ kid }) => kid);

test('a new signing key is announced, then signs, then the old one goes, and no session or token is lost on the way', async () => {
  const portal = await Portal.discover(vestibule, mutuelle);
  const visitor = new Visitor(vestibule);
  const first = (await portal.exchange(await signIn(visitor, portal))).id_token ?? '';
  const signer = async (): Promise<string | undefined> => {
    const { id_token } = await portal.exchange(await signInSilently(visitor, portal));
    return decodeProtectedHeader(id_token ?? '').kid;
  };
  const verify = async (): Promise<unknown> => jwtVerify(first, createLocalJWKSet(await jwks()));
  const [oldKid = ''] = await rsaKids();
  expect(await signer()).toBe(oldKid);

  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'new', alg: 'RS256', use: 'sig' };
  const sealed = new SecretBox([masterKey]).seal('signing keys', JSON.stringify(jwk));
  await change(
    `INSERT INTO signing_keys (kid, alg, sealed_jwk, position, created_at) VALUES (?, 'RS256', ?, 1, 0)`,
    'new',
    sealed,
  );
  expect(await rsaKids()).toEqual([oldKid, 'new']);
  expect(await signer()).toBe(oldKid);

  await change(`UPDATE signing_keys SET position = 1 - position WHERE alg = 'RS256'`);
  expect(await rsaKids()).toEqual(['new', oldKid]);
  expect(await signer()).toBe('new');
  await verify();

  await change('DELETE FROM signing_keys WHERE kid = ?', oldKid);
  expect(await rsaKids()).toEqual(['new']);
  expect(await signer()).toBe('new');
  await expect(verify()).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });

  const last = await portal.exchange(await signInSilently(visitor, portal));
  await visitor.visit(portal.endSessionUrl({ id_token_hint: last.id_token ?? '', post_logout_redirect_uri: HOME }));
  expect(visitor.left.href).toBe(HOME);
});
