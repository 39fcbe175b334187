import { once } from 'node:events';
import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import Provider from 'oidc-provider';
import { clientFile, listenForCallback, Portal } from '../../support/portal.ts';
import { freePort } from '../../support/ports.ts';
import { Visitor } from '../../support/visitor.ts';

// Against the bare protocol library with its own sample pages: what fails here is the portal or
// the visitor, never Vestibule.
describe('the portal, with the visitor', () => {
  const { vestibule: _own, ...file } = clientFile('sample');
  let server: Server;
  let issuer: string;

  beforeAll(async () => {
    const port = await freePort();
    issuer = `http://localhost:${port}`;
    // The library advises whoever runs it with its defaults.
    for (const level of ['info', 'warn'] as const) jest.spyOn(console, level).mockImplementation(() => {});
    const provider = new Provider(issuer, {
      clients: [file],
      cookies: { keys: ['only for this test'] },
      pkce: { required: () => true },
      issueRefreshToken: async () => true,
      features: { rpInitiatedLogout: { enabled: true }, pushedAuthorizationRequests: { enabled: true } },
    });
    server = provider.listen(port);
    await once(server, 'listening');
  });

  afterAll(() => {
    jest.restoreAllMocks();
    server.closeAllConnections();
    server.close();
  });

  async function signIn(portal: Portal, parameters = {}): Promise<URL> {
    const visitor = new Visitor({ issuer });
    await visitor.visit(await portal.authorizationUrl(parameters));
    const [form] = visitor.page.forms;
    await visitor.post(form?.action ?? issuer, { prompt: 'login', login: 'alice', password: 'any' });
    await visitor.post(visitor.page.forms[0]?.action ?? issuer, { prompt: 'consent' });
    return visitor.left;
  }

  test('signs in, refreshes, reads the profile and leads to the sign-out page', async () => {
    const portal = await Portal.discover({ issuer }, file);
    const callback = await signIn(portal, { scope: 'openid', max_age: '60' });
    const tokens = await portal.exchange(callback, { maxAge: 60 });
    expect(tokens.claims()).toMatchObject({ sub: 'alice', aud: 'sample' });
    expect(await portal.userinfo(tokens.access_token, 'alice')).toMatchObject({ sub: 'alice' });
    const refreshed = await portal.refresh(tokens.refresh_token ?? '');
    expect(refreshed.claims()?.sub).toBe('alice');
    const signOut = portal.endSessionUrl({ id_token_hint: tokens.id_token ?? '' });
    expect(signOut.pathname).toBe('/session/end');
  });

  test('pushes its request', async () => {
    const portal = await Portal.discover({ issuer }, file);
    const url = await portal.pushedAuthorizationUrl();
    expect([...url.searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri']);
  });

  test('refuses a callback with a state, nonce or verifier of another attempt', async () => {
    const portal = await Portal.discover({ issuer }, file);
    const callback = await signIn(portal);
    callback.searchParams.set('state', 'another');
    await expect(portal.exchange(callback)).rejects.toThrow('knows no state');
    const other = await portal.authorizationUrl();
    callback.searchParams.set('state', other.searchParams.get('state') ?? '');
    await expect(portal.exchange(callback)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  test('judges tokens by the clock of the server', async () => {
    const portal = await Portal.discover({ issuer }, file);
    const tomorrow = await Portal.discover({ issuer, now: () => Date.now() + 86_400_000 }, file);
    await portal.exchange(await signIn(portal));
    await expect(tomorrow.exchange(await signIn(tomorrow))).rejects.toMatchObject({
      code: 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
    });
  });

  test('listens for a browser that comes back, early or late', async () => {
    const callback = await listenForCallback(await freePort());
    await fetch(`${callback.redirectUri}?code=1`);
    expect((await callback.next()).searchParams.get('code')).toBe('1');
    const next = callback.next();
    await fetch(`${callback.redirectUri}?code=2`);
    expect((await next).href).toBe(`${callback.redirectUri}?code=2`);
    await callback.close();
  });
});
