import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { clientFile, Portal } from '../support/portal.ts';
import { freePort } from '../support/ports.ts';
import { type CommandResult, type LogLine, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, auditOf, call, jsonOf, signIn, signInSilently } from './arrange.ts';

const HOME = 'http://localhost:9/mutuelle';
/** Seconds. Longer than the server goes without looking for other keys. */
const LOOKED = 31;
const DAY = 86_400;
/** Seconds: a session, and what clocks may differ by. */
const RETENTION = 8 * 3600 + 300;
const ALGORITHMS = ['ES256', 'EdDSA', 'RS256'];

const mutuelle = clientFile('mutuelle');
let vestibule: Vestibule;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle], people: [alice] });
});
afterAll(() => vestibule.stop());

/** Moves the clock, after which the running server has taken other keys into use by itself. */
async function otherKeysAfter(seconds: number): Promise<void> {
  const seen = new Set<LogLine>(vestibule.logs);
  await vestibule.advanceClock(seconds);
  await vestibule.logged('keys.changed', (line) => !seen.has(line));
}

const rotate = (...options: readonly string[]): Promise<CommandResult> =>
  vestibule.command(['keys', 'rotate', ...options]);

/** What the keys of an algorithm are, by kid. */
async function listed(alg: string, ...options: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const { stdout } = await vestibule.command(['keys', 'list', '--json', ...options]);
  const keys = JSON.parse(stdout) as { alg: string; kid: string; standing: string }[];
  return Object.fromEntries(keys.filter((key) => key.alg === alg).map(({ kid, standing }) => [kid, standing]));
}

const jwks = async (): Promise<JSONWebKeySet> =>
  (await jsonOf(await call(vestibule, '/jwks'))) as unknown as JSONWebKeySet;
const rsaKids = async (): Promise<(string | undefined)[]> =>
  (await jwks()).keys.filter(({ alg }) => alg === 'RS256').map(({ kid }) => kid);
const verify = async (token: string, keys?: JSONWebKeySet): Promise<unknown> =>
  jwtVerify(token, createLocalJWKSet(keys ?? (await jwks())), { currentDate: new Date(vestibule.now()) });
const signerOf = (token: string): string | undefined => decodeProtectedHeader(token).kid;

test('new keys are announced, then sign, then the old ones go, and no session or token is lost on the way', async () => {
  const portal = await Portal.discover(vestibule, mutuelle);
  let visitor = new Visitor(vestibule);
  const newToken = async (): Promise<string> =>
    (await portal.exchange(await signInSilently(visitor, portal))).id_token ?? '';
  const tokenOfNewSession = async (): Promise<string> => {
    visitor = new Visitor(vestibule);
    return (await portal.exchange(await signIn(visitor, portal))).id_token ?? '';
  };
  await tokenOfNewSession();
  const [oldKid = ''] = await rsaKids();
  expect(signerOf(await newToken())).toBe(oldKid);

  expect(await rotate()).toMatchObject({ code: 0, stdout: expect.stringMatching(/published, and used from .*Z on/) });
  await otherKeysAfter(LOOKED);
  const announced = await jwks();
  const [first, newKid = ''] = await rsaKids();
  expect([first, newKid]).toEqual([oldKid, expect.stringMatching(/^[\w-]{43}$/)]);
  expect(signerOf(await newToken())).toBe(oldKid);
  expect(await listed('RS256')).toEqual({ [oldKid]: 'current', [newKid]: 'announced' });

  const again = await rotate();
  expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/under way until .*nothing was changed/)]);

  await vestibule.advanceClock(DAY - 2 * LOOKED);
  const lastOfTheOld = await tokenOfNewSession();
  expect(signerOf(lastOfTheOld)).toBe(oldKid);
  await otherKeysAfter(2 * LOOKED);
  expect(await rsaKids()).toEqual([newKid, oldKid]);
  const firstOfTheNew = await newToken();
  expect(signerOf(firstOfTheNew)).toBe(newKid);
  // Whatever a portal knows since yesterday does for both.
  for (const token of [lastOfTheOld, firstOfTheNew]) {
    await verify(token);
    await verify(token, announced);
  }

  await otherKeysAfter(RETENTION);
  expect(await rsaKids()).toEqual([newKid]);
  await expect(verify(lastOfTheOld)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
  // Not only unpublished: a day later the private part is nowhere any more.
  await vestibule.advanceClock(DAY);
  await vestibule.logged('keys.forgotten');
  expect(await listed('RS256')).toEqual({ [newKid]: 'current' });

  const last = await tokenOfNewSession();
  await visitor.visit(portal.endSessionUrl({ id_token_hint: last, post_logout_redirect_uri: HOME }));
  expect(visitor.left.href).toBe(HOME);
});

describe('in an emergency', () => {
  test('the present keys end at once, with what they signed, and nobody is signed out', async () => {
    const portal = await Portal.discover(vestibule, mutuelle);
    const visitor = new Visitor(vestibule);
    const stolen = (await portal.exchange(await signIn(visitor, portal))).id_token ?? '';
    expect(await rotate('--at-once')).toMatchObject({ code: 0, stdout: expect.stringContaining('from now on') });
    await otherKeysAfter(LOOKED);
    await expect(verify(stolen)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    const tokens = await portal.exchange(await signInSilently(visitor, portal));
    await verify(tokens.id_token ?? '');
    expect(Object.values(await listed('RS256'))).toEqual(['current']);
  });

  test('it needs nothing of the ephemeral storage, which may be away', async () => {
    const fresh = await startVestibule();
    try {
      await fresh.configure({ settings: { storage: { ephemeral: null } } });
      const ephemeral = { engine: 'redis', url: `redis://127.0.0.1:${await freePort()}` };
      await fresh.configure({ settings: { storage: { ephemeral } } });
      expect(await fresh.command(['keys', 'rotate', '--at-once'])).toMatchObject({ code: 0, stderr: '' });
      expect(await fresh.command(['keys', 'list'])).toMatchObject({ code: 0, stderr: '' });
    } finally {
      await fresh.stop();
    }
  });

  test('the audit trail says so', async () => {
    const before = (await auditOf(vestibule, 'keys.rotated')).length;
    await rotate('--at-once');
    await otherKeysAfter(LOOKED);
    const events = await auditOf(vestibule, 'keys.rotated');
    expect(events.slice(before)).toMatchObject([{ details: { purpose: 'signing', at_once: true } }]);
  });
});

describe('keys towards external providers', () => {
  test('are rotated apart: of those to encrypt to, the present one alone is published until the other takes over', async () => {
    const published = async (alg: string): Promise<unknown[]> => {
      const { keys } = (await jsonOf(await call(vestibule, '/external/jwks'))) as { keys: Record<string, unknown>[] };
      return keys.filter((key) => key.alg === alg).map(({ kid }) => kid);
    };
    const [signing] = await published('RS256');
    const [encryption] = await published('ECDH-ES');
    const own = await rsaKids();
    expect((await rotate('--upstream')).code).toBe(0);
    await vestibule.advanceClock(2 * LOOKED);
    expect(await published('RS256')).toEqual([signing, expect.any(String)]);
    expect(await published('ECDH-ES')).toEqual([encryption]);
    await vestibule.advanceClock(DAY);
    const [now, before] = await published('RS256');
    expect([now, before]).toEqual([expect.not.stringMatching(String(signing)), signing]);
    expect(await published('ECDH-ES')).toEqual([expect.not.stringMatching(String(encryption))]);
    expect(Object.values(await listed('ECDH-ES', '--upstream')).toSorted()).toEqual(['current', 'retired']);
    expect(await rsaKids()).toEqual(own);
  });

  test('there are none before somebody needs them', async () => {
    const fresh = await startVestibule();
    try {
      const { code, stderr } = await fresh.command(['keys', 'rotate', '--upstream']);
      expect([code, stderr]).toEqual([1, expect.stringContaining('no keys yet')]);
      const { stdout } = await fresh.command(['keys', 'list']);
      expect(stdout.split('\n').map((line) => line.split(' ')[0])).toEqual([...ALGORITHMS, '']);
    } finally {
      await fresh.stop();
    }
  });
});
