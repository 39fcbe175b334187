import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { JWK } from 'jose';
import { EvilUpstream } from '../support/evil-upstream.ts';
import { appoint, CLIENT_ID, claimsAt, comeBack, leaveFor, link, passBy, providerFile } from '../support/external.ts';
import { Portal } from '../support/portal.ts';
import { freePort } from '../support/ports.ts';
import { crowd } from '../support/second-factor.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import type { Visitor } from '../support/visitor.ts';
import { begin, expectRefused, expectUsable, type Scene } from './support/external.ts';
import { mutuelle } from './support/people.ts';

const SUB = 'citizen-with-an-account';
const people = crowd({ plain: {} }, 60);
/** What is learned of an upstream is kept: each test has one that nothing is known of. */
const unknown = Array.from({ length: 40 }, (_, n) => `unknown-${n}`);

let evil: EvilUpstream;
let untrusted: EvilUpstream;
let canary: Server;
let canaryPort: number;
let knocks = 0;
let vestibule: Vestibule;
let scene: Scene;

beforeAll(async () => {
  const now = () => vestibule?.now() ?? Date.now();
  [evil, untrusted] = await Promise.all([
    EvilUpstream.start(CLIENT_ID, now),
    EvilUpstream.start(CLIENT_ID, now, { tls: true }),
  ]);
  canaryPort = await freePort();
  canary = createServer((socket) => {
    knocks += 1;
    socket.on('error', () => {}).destroy();
  });
  await new Promise<void>((resolve) => canary.listen(canaryPort, '127.0.0.1', resolve));
  vestibule = await startVestibule({
    clients: [mutuelle],
    providers: {
      evil: providerFile(evil),
      tls: providerFile(untrusted),
      ...Object.fromEntries(unknown.map((id) => [id, providerFile(evil, { order: 200 })])),
    },
    people: people.everybody,
    settings: { limits: { address: { count: 10_000 } } },
  });
  scene = { vestibule, evil, portal: await Portal.discover(vestibule, mutuelle) };
  await claimsAt(scene, await link(scene, { sub: SUB }, people.next('plain')));
});
afterAll(async () => {
  await vestibule?.stop();
  await Promise.all([evil?.stop(), untrusted?.stop()]);
  canary?.close();
});
beforeEach(() => {
  evil.reset();
  appoint(evil, { sub: SUB });
  knocks = 0;
});

const usable = (visitor: Visitor, first: URL) => expectUsable(scene, visitor, first, people.next('plain'));
const another = (): string => unknown.pop() ?? 'nobody';

/** There and, if it comes to that, back. */
async function tryAt(provider: string) {
  const { visitor, first } = await begin(scene);
  await visitor.choose(`external:${provider}`);
  if (visitor.page.location) await comeBack(visitor, evil, { provider });
  return { visitor, first };
}

async function refuses(reason: RegExp, provider = another()): Promise<void> {
  const { visitor, first } = await tryAt(provider);
  await expectRefused(scene, visitor.page, reason);
  await usable(visitor, first);
}

describe('39 metadata SSRF', () => {
  const FIELDS = ['token_endpoint', 'userinfo_endpoint', 'jwks_uri'];
  const PLACES: readonly (readonly [string, () => string])[] = [
    ['this machine, by its address', () => `https://127.0.0.1:${canaryPort}/x`],
    ['this machine, by its name', () => `https://localhost:${canaryPort}/x`],
    ['this machine, as IPv6 writes it', () => `https://[::ffff:127.0.0.1]:${canaryPort}/x`],
    ['this machine, without TLS', () => `http://127.0.0.1:${canaryPort}/x`],
    ['this machine, as a number', () => `http://2130706433:${canaryPort}/x`],
  ];
  const all = PLACES.flatMap(([what, address]) => FIELDS.map((field) => [field, what, address] as const));

  test.each(all)('%s is on %s: nobody is called there', async (field, _what, address) => {
    evil.script = { ...evil.script, metadata: { [field]: address() } };
    await refuses(/address|metadata/);
    expect(knocks).toBe(0);
  });

  test.each([
    ['a cloud’s own address', 'http://169.254.169.254/latest/meta-data'],
    ['a private network', 'https://10.0.0.1/token'],
    ['a file', 'file:///etc/passwd'],
    ['a name and a password', 'https://somebody:secret@login.example/token'],
    ['no address at all', 17],
  ])('token_endpoint is %s: refused', async (_what, address) => {
    evil.script = { ...evil.script, metadata: { token_endpoint: address } };
    await refuses(/address|metadata/);
  });

  test('nobody is sent to an address that is none of the web’s', async () => {
    for (const address of ['javascript:alert(1)', 'data:text/html,x', `http://intranet.example/authorize`]) {
      evil.script = { ...evil.script, metadata: { authorization_endpoint: address } };
      await refuses(/metadata/);
    }
  });

  test.each(['metadata', 'jwks', 'token', 'userinfo'] as const)('a redirect of %s is not followed', async (path) => {
    evil.script = { ...evil.script, redirects: path };
    await refuses(/redirected/);
    expect(evil.count('/elsewhere')).toBe(0);
  });
});

describe('42 upstream validation: metadata', () => {
  test('of another issuer are refused, and asked for again before long', async () => {
    const provider = another();
    evil.script = { ...evil.script, metadata: { issuer: 'https://other.example' } };
    await refuses(/metadata.*another issuer/, provider);
    evil.reset();
    appoint(evil, { sub: SUB });
    await vestibule.advanceClock(11);
    const { visitor } = await tryAt(provider);
    await claimsAt(scene, visitor);
  });

  test('that are none are refused', async () => {
    evil.script = { ...evil.script, fails: 'metadata' };
    await refuses(/metadata.*500/);
    evil.script = { ...evil.script, fails: 'jwks' };
    await refuses(/keys.*500/);
  });

  test('of a server without a certificate that anybody vouches for are not even read', async () => {
    await refuses(/unreachable/, 'tls');
    expect(untrusted.requests).toEqual([]);
  });
});

describe('54 JWE bomb, and everything else that is too much', () => {
  const key = (n: number): JWK => ({ ...(evil.signing.get('RS256')?.jwk as JWK), kid: `key-${n}` });

  test('metadata of megabytes are refused', async () => {
    for (const chunked of [true, false]) {
      evil.script = { ...evil.script, chunked, metadata: { x: 'x'.repeat(5_000_000) } };
      await refuses(/too_large/);
    }
  });

  test('a huge key set is refused, by its size or by its number', async () => {
    evil.script = { ...evil.script, jwks: Array.from({ length: 5000 }, (_, n) => key(n)) };
    await refuses(/too_large/);
    evil.script = { ...evil.script, jwks: Array.from({ length: 300 }, (_, n) => key(n)) };
    await refuses(/keys.*more than/);
  });

  test('a token of a key that nobody knows has the keys fetched again once, not each time', async () => {
    const provider = another();
    appoint(evil, { sub: SUB }, { header: { kid: 'unheard-of' } });
    for (let n = 0; n < 4; n += 1) {
      const { visitor } = await tryAt(provider);
      await expectRefused(scene, visitor.page, /id_token/);
    }
    expect(evil.count('/jwks')).toBeLessThanOrEqual(2);
  });

  // An upstream that sends a byte a second must hold nobody, and nobody else.
  test.each(['metadata', 'token', 'userinfo'] as const)('%s that drips for ever is given up', async (path) => {
    const provider = another();
    if (path !== 'metadata') {
      const { visitor } = await begin(scene);
      await leaveFor(visitor, provider);
    }
    evil.script = { ...evil.script, drips: path };
    const began = performance.now();
    const slow = tryAt(provider);
    const { visitor, first } = await begin(scene);
    await usable(visitor, first);
    expect(performance.now() - began).toBeLessThan(4000);
    const { visitor: held, first: page } = await slow;
    expect(performance.now() - began).toBeLessThan(12_000);
    await expectRefused(scene, held.page, /too_slow/);
    await usable(held, page);
  });
});

test('42 what is told of a person is told to nobody but the account’s own portal', async () => {
  appoint(evil, { sub: SUB, claims: { name: 'Ada Lovelace', email: 'ada@example.org', birthdate: '1815-12-10' } });
  const { visitor } = await begin(scene, { scope: 'openid profile email' });
  await passBy(visitor, evil);
  const tokens = await scene.portal.exchange(visitor.left);
  const all = JSON.stringify([tokens.claims(), await scene.portal.userinfo(tokens.access_token)]);
  expect(all).not.toMatch(/Lovelace|ada@example|1815/);
});
