import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { clientFile } from '../support/portal.ts';
import { type ClientFileContents, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { type ClientKey, call, clientKey } from './arrange.ts';

let vestibule: Vestibule;
let server: Server;
/** What the portals publish, and how often they were asked. */
let published: readonly ClientKey[] = [];
let asked = 0;

beforeAll(async () => {
  server = createServer((_request, response) => {
    asked += 1;
    response.setHeader('content-type', 'application/jwk-set+json');
    response.end(JSON.stringify({ keys: published.map(({ publicJwk }) => publicJwk) }));
  });
  // Every address of the machine: `127.0.0.1` is allowed below, `localhost` is not.
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  const file = (name: string, host: string): ClientFileContents =>
    clientFile(name, {
      client_secret: undefined,
      token_endpoint_auth_method: 'private_key_jwt',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      jwks_uri: `http://${host}:${port}/${name}/jwks`,
    });
  vestibule = await startVestibule({
    settings: { development: { logout_origins: [`http://127.0.0.1:${port}`] } },
    clients: [file('rolling', '127.0.0.1'), file('guarded', 'localhost')],
  });
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await vestibule.stop();
});
beforeEach(() => {
  asked = 0;
});

async function authenticate(clientId: string, key: ClientKey): Promise<number> {
  const now = Math.floor(vestibule.now() / 1000);
  const assertion = await new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256', kid: String(key.publicJwk.kid) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(vestibule.issuer)
    .setIssuedAt(now)
    .setExpirationTime(now + 60)
    .sign(key.privateKey);
  const form = {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  };
  return (await call(vestibule, '/token', { form })).status;
}

test('keys are fetched from the portal, kept, and fetched again when the portal uses a new one', async () => {
  const [first, second, foreign] = await Promise.all([
    clientKey('ES256', 'first'),
    clientKey('ES256', 'second'),
    clientKey('ES256', 'foreign'),
  ]);
  published = [first];
  expect(await authenticate('rolling', first)).toBe(200);
  expect(await authenticate('rolling', first)).toBe(200);
  expect(asked).toBe(1);
  published = [second];
  await vestibule.advanceClock(120);
  expect(await authenticate('rolling', second)).toBe(200);
  expect(await authenticate('rolling', first)).toBe(401);
  expect(await authenticate('rolling', foreign)).toBe(401);
});

test('keys are not fetched from an address on this machine that is not allowed', async () => {
  const key = await clientKey('ES256', 'guarded');
  published = [key];
  expect(await authenticate('guarded', key)).toBe(401);
  expect(asked).toBe(0);
});
