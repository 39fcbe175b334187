/**
 * What Vestibule is compared with: the protocol library as it comes, with the same protocol work
 * (RS256, one cookie key, PKCE, the same clients) and a login form; no policy, journey, accounts,
 * audit, limits, headers or logs. Run as plain JavaScript (see servers/javascript.ts).
 */
import { createServer } from 'node:http';
import { type ClientMetadata, type Configuration, type Grant, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { login } from './login.ts';
import type { BareSettings } from './settings.ts';
import { sqliteAdapter } from './sqlite-adapter.ts';

const settings = JSON.parse(process.argv[2] ?? '') as BareSettings;
const { store } = settings;

const configuration: Configuration = {
  ...(store === 'memory' ? {} : { adapter: sqliteAdapter(store.path, store.synchronous) }),
  clients: settings.clients as readonly ClientMetadata[] as ClientMetadata[],
  cookies: { keys: [settings.cookieKey] },
  features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true } },
  findAccount: async (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  jwks: { keys: [settings.signingKey] },
  loadExistingGrant,
  pkce: { required: () => true },
  // The library prints a notice for each it is not told.
  ttl: {
    AccessToken: 3600,
    AuthorizationCode: 60,
    ClientCredentials: 600,
    Grant: 1_209_600,
    IdToken: 3600,
    Interaction: 3600,
    RefreshToken: 1_209_600,
    Session: 28_800,
  },
};

async function loadExistingGrant(ctx: KoaContextWithOIDC): Promise<Grant | undefined> {
  const { client, session, account, provider } = ctx.oidc;
  if (!client || !session || !account) return undefined;
  const grantId = session.grantIdFor(client.clientId);
  if (grantId) return provider.Grant.find(grantId);
  const grant = new provider.Grant({ clientId: client.clientId, accountId: account.accountId });
  grant.addOIDCScope('openid');
  await grant.save();
  return grant;
}

const provider = new Provider(settings.issuer, configuration);
provider.use(login(provider, settings.people));
createServer(provider.callback()).listen(settings.port, '127.0.0.1');
