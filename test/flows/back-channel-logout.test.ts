import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { clientFile, Portal } from '../support/portal.ts';
import { type ClientFileContents, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, bruno, signIn, signInSilently } from './arrange.ts';

/** Portals that can be told, all in one: `/<client id>` takes logout tokens. */
class Portals {
  readonly heard: { readonly path: string; readonly token: string; readonly contentType: string | undefined }[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer(async (request, response) => {
      const form = new URLSearchParams(await text(request));
      const path = request.url ?? '';
      this.heard.push({ path, token: form.get('logout_token') ?? '', contentType: request.headers['content-type'] });
      response.statusCode = path === '/broken' ? 500 : 200;
      response.end();
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  tokenFor(clientId: string): string {
    const found = this.heard.filter(({ path }) => path === `/${clientId}`);
    expect(found.length).toBe(1);
    return found[0]?.token ?? '';
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

const reachable = new Portals();
const forbidden = new Portals();
const files = new Map<string, ClientFileContents>();

let vestibule: Vestibule;
let visitor: Visitor;

beforeAll(async () => {
  const [origin, elsewhere] = await Promise.all([reachable.listen(), forbidden.listen()]);
  const told = (name: string, over: object = {}): void => {
    files.set(name, clientFile(name, { backchannel_logout_uri: `${origin}/${name}`, ...over }));
  };
  told('told', { backchannel_logout_session_required: true });
  told('elliptic', { id_token_signed_response_alg: 'ES256' });
  told('pairwise', { subject_type: 'pairwise' });
  told('broken');
  told('guarded', { backchannel_logout_uri: `${elsewhere}/guarded` });
  vestibule = await startVestibule({
    settings: { development: { logout_origins: [origin] } },
    clients: [...files.values()],
    people: [alice, bruno],
  });
});
afterAll(async () => {
  reachable.close();
  forbidden.close();
  await vestibule.stop();
});
beforeEach(() => {
  visitor = new Visitor(vestibule);
  reachable.heard.length = 0;
});

/** Signs in at each of the portals, in one session. @returns their ID tokens */
async function signInAt(...names: string[]): Promise<Map<string, string>> {
  const tokens = new Map<string, string>();
  for (const name of names) {
    const portal = await Portal.discover(vestibule, files.get(name) as ClientFileContents);
    const callback = await (tokens.size === 0 ? signIn(visitor, portal) : signInSilently(visitor, portal));
    tokens.set(name, (await portal.exchange(callback)).id_token ?? '');
  }
  return tokens;
}

async function signOut(idToken: string | undefined): Promise<void> {
  await visitor.visit(`/session/end?${new URLSearchParams({ id_token_hint: idToken ?? '' })}`);
  expect([visitor.page.status, visitor.page.step]).toEqual([200, 'signed-out']);
}

const verified = (token: string, audience: string) =>
  jwtVerify(token, createRemoteJWKSet(new URL('/jwks', vestibule.issuer)), {
    issuer: vestibule.issuer,
    audience,
    typ: 'logout+jwt',
    currentDate: new Date(vestibule.now()),
  });

describe('every portal of the session is told', () => {
  test('by a signed logout token that names person and session', async () => {
    const tokens = await signInAt('told', 'elliptic');
    await signOut(tokens.get('elliptic'));
    expect(reachable.heard.map(({ path }) => path).toSorted()).toEqual(['/elliptic', '/told']);
    expect(reachable.heard[0]?.contentType).toContain('application/x-www-form-urlencoded');
    const idToken = decodeJwt(tokens.get('told') ?? '');
    const { payload } = await verified(reachable.tokenFor('told'), 'told');
    expect(payload).toMatchObject({
      sub: idToken.sub,
      sid: idToken.sid,
      jti: expect.any(String),
      iat: expect.any(Number),
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    });
    expect(idToken.sid).toBeTruthy();
    expect(payload).not.toHaveProperty('nonce');
  });

  test('with the algorithm of its file, and without a session it does not want to know', async () => {
    const tokens = await signInAt('elliptic');
    await signOut(tokens.get('elliptic'));
    const { payload, protectedHeader } = await verified(reachable.tokenFor('elliptic'), 'elliptic');
    expect(protectedHeader.alg).toBe('ES256');
    expect(payload).not.toHaveProperty('sid');
  });

  test('under the subject that it knows', async () => {
    const tokens = await signInAt('pairwise');
    await signOut(tokens.get('pairwise'));
    const { payload } = await verified(reachable.tokenFor('pairwise'), 'pairwise');
    expect(payload.sub).toBe(decodeJwt(tokens.get('pairwise') ?? '').sub);
  });

  test('also when somebody else signs in in the same browser', async () => {
    await signInAt('told');
    const portal = await Portal.discover(vestibule, files.get('elliptic') as ClientFileContents);
    await visitor.visit(await portal.authorizationUrl({ prompt: 'login' }));
    await visitor.choose('switch');
    await visitor.submit({ username: 'bruno' });
    await visitor.submit({ password: bruno.password });
    await portal.exchange(visitor.left);
    await verified(reachable.tokenFor('told'), 'told');
  });

  test('and only those', async () => {
    const tokens = await signInAt('told');
    await signOut(tokens.get('told'));
    expect(reachable.heard.map(({ path }) => path)).toEqual(['/told']);
  });
});

describe('a portal that can’t be told does not stop the sign-out', () => {
  test('because it answers with an error', async () => {
    const tokens = await signInAt('broken', 'told');
    await signOut(tokens.get('told'));
    expect(reachable.heard.map(({ path }) => path).toSorted()).toEqual(['/broken', '/told']);
    await vestibule.logged('logout.backchannel.failed', ({ client_id }) => client_id === 'broken');
  });

  test('because its address is on this machine and not allowed', async () => {
    const tokens = await signInAt('guarded', 'told');
    await signOut(tokens.get('told'));
    await vestibule.logged('logout.backchannel.failed', ({ client_id }) => client_id === 'guarded');
    expect(forbidden.heard).toEqual([]);
    reachable.tokenFor('told');
  });
});
