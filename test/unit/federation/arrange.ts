import { createGuardedFetch } from '../../../src/federation/guarded-fetch.ts';
import { createUpstreamKeys, type UpstreamKeys } from '../../../src/federation/keys.ts';
import { createRelyingParty, type RelyingParty, type RelyingPartyDeps } from '../../../src/federation/relying-party.ts';
import type { Upstream } from '../../../src/federation/upstream.ts';
import { createLogger } from '../../../src/kernel/logger.ts';
import { systemRandom } from '../../../src/kernel/random.ts';
import { SecretBox } from '../../../src/kernel/secret-box.ts';
import type { KeyStore, StoredKey } from '../../../src/storage/ports.ts';
import type { EvilUpstream } from '../../support/evil-upstream.ts';

export const CLIENT_ID = 'vestibule';
export const SECRET = 'a-secret-that-is-longer-than-thirty-two-octets';
export const CALLBACK = 'https://login.example.org/external/evil/callback';

/** A clock that tests move. */
export const clock = {
  offset: 0,
  now: () => Date.now() + clock.offset,
  advance(seconds: number) {
    clock.offset += seconds * 1000;
  },
};

export const secretBox = new SecretBox([systemRandom.bytes(32).toString('base64')]);

/** Keys in memory; `stored` may be changed by a test. */
export class MemoryKeys implements KeyStore {
  stored: StoredKey[] = [];
  async list(): Promise<StoredKey[]> {
    return [...this.stored];
  }
  async insertFirst(keys: readonly StoredKey[]): Promise<boolean> {
    if (this.stored.length > 0) return false;
    this.stored = [...keys];
    return true;
  }
  async replaceAll(keys: readonly StoredKey[], expected: readonly StoredKey[]): Promise<boolean> {
    if (JSON.stringify(this.stored) !== JSON.stringify(expected)) return false;
    this.stored = [...keys];
    return true;
  }
}

export const keyStore = new MemoryKeys();
/** Making them takes a while: one set for all tests of a file. */
export const keys: UpstreamKeys = createUpstreamKeys({ store: keyStore, secretBox, clock });

export const upstreamAt = (issuer: string, over: Partial<Upstream> = {}): Upstream => ({
  id: 'evil',
  preset: 'generic',
  name: 'Evil eID',
  issuer,
  clientId: CLIENT_ID,
  authentication: { method: 'client_secret_post', secret: SECRET },
  scope: 'openid profile',
  parameters: {},
  responseMode: 'query',
  request: 'plain',
  dpop: false,
  reauthenticates: true,
  idToken: { signedWith: ['RS256'] },
  userinfo: { fetched: true },
  levels: [
    { upstream: 'low', acr: 'urn:low' },
    { upstream: 'substantial', acr: 'urn:substantial' },
    { upstream: 'high', acr: 'urn:high' },
  ],
  asksLevelBy: { by: 'acr_values' },
  subject: [{ path: ['sub'], confidential: false }],
  mapping: { given_name: ['given_name'], email: ['email'], email_verified: ['email_verified'] },
  clockTolerance: 10,
  logout: { rpInitiated: true, backChannel: true },
  ...over,
});

export function relyingParty(
  evil: EvilUpstream,
  over: Partial<Upstream> = {},
  deps: Partial<RelyingPartyDeps> = {},
): RelyingParty {
  return createRelyingParty(upstreamAt(evil.issuer, over), {
    keys,
    callback: CALLBACK,
    fetch: createGuardedFetch([evil.issuer]),
    clock,
    logger: createLogger('silent'),
    ...deps,
  });
}

/** Both legs, the person approving at once. */
export async function signIn(evil: EvilUpstream, party: RelyingParty, wanted = {}) {
  const { url, secrets } = await party.authorizationRequest(wanted);
  return party.identity(evil.approve(url), secrets);
}

/** Claims of a JWT, unverified. */
export const claimsOf = (jwt: string | null | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(jwt?.split('.')[1] ?? '', 'base64url').toString());
export const headerOf = (jwt: string | null | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(jwt?.split('.')[0] ?? '', 'base64url').toString());
