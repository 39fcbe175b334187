import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as client from 'openid-client';
import type { Page } from '../support/page.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, errorAt, signIn } from './arrange.ts';

const mutuelle = clientFile('mutuelle');
const elliptic = clientFile('elliptic', { authorization_signed_response_alg: 'ES256' });

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({ clients: [mutuelle, elliptic], people: [alice] });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

async function signInFor(parameters: Record<string, string>, from = portal): Promise<Page> {
  await visitor.visit(await from.authorizationUrl(parameters));
  await visitor.submit({ username: 'alice' });
  return visitor.submit({ password: alice.password });
}

/** What the page would post to the portal, when its script runs or when its button is pressed. */
function posted(page: Page): Record<string, string> {
  const [form] = page.forms;
  expect([form?.method, form?.action.href, form?.buttons.length]).toEqual(['POST', portal.redirectUri, 1]);
  return Object.fromEntries((form?.fields ?? []).map(({ name, value }) => [name, value]));
}

async function verified(response: string, clientId = 'mutuelle') {
  const keys = createRemoteJWKSet(new URL('/jwks', vestibule.issuer));
  return jwtVerify(response, keys, {
    issuer: vestibule.issuer,
    audience: clientId,
    currentDate: new Date(vestibule.now()),
  });
}

describe('by form', () => {
  test('the code is posted to the portal', async () => {
    const page = await signInFor({ response_mode: 'form_post' });
    expect([page.status, page.location]).toEqual([200, undefined]);
    const fields = posted(page);
    expect(Object.keys(fields).toSorted()).toEqual(['code', 'iss', 'state']);
    const tokens = await portal.exchange(new URL(`${portal.redirectUri}?${new URLSearchParams(fields)}`));
    expect(tokens.claims()?.aud).toBe('mutuelle');
  });

  test('the page runs the one script that the policy names, and may post to the portal', async () => {
    const page = await signInFor({ response_mode: 'form_post' });
    const script = /<script>([\s\S]*?)<\/script>/.exec(page.body)?.[1] ?? '';
    const policy = String(page.headers['content-security-policy']);
    const scripts = policy.split(';').find((directive) => directive.trim().startsWith('script-src')) ?? '';
    expect(script).toContain('submit()');
    expect(scripts).toContain(`'sha256-${createHash('sha256').update(script).digest('base64')}'`);
    expect(policy).not.toMatch(/unsafe|form-action/);
    expect(page.headers['cache-control']).toContain('no-store');
  });

  test('errors are posted, too', async () => {
    await visitor.visit(await portal.authorizationUrl({ response_mode: 'form_post', prompt: 'none' }));
    expect(posted(visitor.page)).toMatchObject({ error: 'login_required', state: expect.any(String) });
  });

  test('what a portal sends comes back without ever being markup', async () => {
    const state = '"><script>alert(1)</script>';
    const page = await signInFor({ response_mode: 'form_post', state });
    expect(page.body).not.toContain('<script>alert');
    expect(posted(page).state).toBe(state);
  });
});

describe('signed', () => {
  test.each(['jwt', 'query.jwt'])('%s: in the query, and the library takes it', async (response_mode) => {
    const callback = (await signInFor({ response_mode })).location as URL;
    expect([...callback.searchParams.keys()]).toEqual(['response']);
    const { payload } = await verified(callback.searchParams.get('response') ?? '');
    expect(payload).toMatchObject({ code: expect.any(String), state: expect.any(String) });
    const configuration = portal.configuration;
    client.useJwtResponseMode(configuration);
    const pending = portal.pending(new URL(`?state=${payload.state}`, callback));
    const tokens = await client.authorizationCodeGrant(configuration, callback, {
      expectedState: String(payload.state),
      expectedNonce: pending?.nonce ?? '',
      pkceCodeVerifier: pending?.codeVerifier ?? '',
    });
    expect(tokens.claims()?.aud).toBe('mutuelle');
  });

  test('fragment.jwt: in the fragment', async () => {
    const callback = (await signInFor({ response_mode: 'fragment.jwt' })).location as URL;
    expect(callback.search).toBe('');
    const { payload } = await verified(new URLSearchParams(callback.hash.slice(1)).get('response') ?? '');
    expect(payload.code).toBeTruthy();
  });

  test('form_post.jwt: posted', async () => {
    const fields = posted(await signInFor({ response_mode: 'form_post.jwt' }));
    expect(Object.keys(fields)).toEqual(['response']);
    expect((await verified(fields.response ?? '')).payload.code).toBeTruthy();
  });

  test('with the algorithm of the client’s file', async () => {
    const other = await Portal.discover(vestibule, elliptic);
    const callback = (await signInFor({ response_mode: 'query.jwt' }, other)).location as URL;
    const { protectedHeader } = await verified(callback.searchParams.get('response') ?? '', 'elliptic');
    expect(protectedHeader.alg).toBe('ES256');
  });

  test('errors are signed, too', async () => {
    await visitor.visit(await portal.authorizationUrl({ response_mode: 'query.jwt', prompt: 'none' }));
    expect(errorAt(visitor.left)).toBeNull();
    const { payload } = await verified(visitor.left.searchParams.get('response') ?? '');
    expect(payload).toMatchObject({ error: 'login_required', state: expect.any(String) });
  });
});

describe('in the fragment', () => {
  test('where a portal asks for it', async () => {
    const callback = await signIn(visitor, portal, { response_mode: 'fragment' });
    expect(callback.search).toBe('');
    expect([...new URLSearchParams(callback.hash.slice(1)).keys()].toSorted()).toEqual(['code', 'iss', 'state']);
  });
});
