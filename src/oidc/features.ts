import { type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { type Accounts, may } from '../accounts/index.ts';
import type { ClientRegistry } from './clients.ts';
import type { ProviderDependencies } from './dependencies.ts';
import { mutualTls } from './mtls.ts';

/** What the provider can do. On for everybody, unless a setting under `features:` says otherwise. */
export function features(deps: ProviderDependencies, clients: ClientRegistry): NonNullable<Configuration['features']> {
  const { config, secretBox, pages } = deps;
  const settings = config.features;
  return {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    claimsParameter: { enabled: true },
    clientCredentials: { enabled: true },
    dPoP: { enabled: true, nonceSecret: secretBox.deriveKey('dpop nonce') },
    encryption: { enabled: false },
    fapi: {
      enabled: true,
      profile: (_ctx, client) => (client && clients.settings(client.clientId).fapi ? '2.0' : undefined),
    },
    // A token is shown only to the client it was issued to or the API it is meant for.
    introspection: {
      enabled: true,
      allowedPolicy: async (_ctx, client, token) =>
        client.clientAuthMethod !== 'none' &&
        (token.clientId === client.clientId || audienceOf(token) === client.clientId) &&
        (await isSomebodys(token, deps.accounts)),
    },
    jwtIntrospection: { enabled: true },
    jwtResponseModes: { enabled: true },
    jwtUserinfo: { enabled: true },
    mTLS: mutualTls(settings.mtls),
    pushedAuthorizationRequests: { enabled: true },
    requestObjects: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: async (ctx, indicator, client) => {
        const server = config.resource_servers[indicator];
        if (!server || (server.clients && !server.clients.includes(client.clientId))) throw new errors.InvalidTarget();
        // Who registered here without anybody looking gets to an API in a person's name only, never in its own.
        const inItsOwnName = ctx.oidc.params?.grant_type === 'client_credentials';
        if (inItsOwnName && !clients.file(client.clientId)) throw new errors.InvalidTarget();
        const mayAsk = (clients.file(client.clientId)?.scope ?? client.scope)?.split(' ');
        return {
          scope: server.scopes.filter((scope) => mayAsk === undefined || mayAsk.includes(scope)).join(' '),
          audience: server.audience ?? indicator,
          accessTokenFormat: server.access_token_format,
          ...(server.access_token_lifetime === undefined ? {} : { accessTokenTTL: server.access_token_lifetime }),
          jwt: { sign: { alg: server.access_token_signing_alg } },
        };
      },
      useGrantedResource: async () => true,
    },
    revocation: {
      enabled: true,
      // RFC 7009 §2.1: another client's token is refused, not revoked.
      allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) =>
        pages.signOut(ctx, { action: actionOf(ctx, 'end_session_confirm'), fields: fieldsOf(form) }),
      async postLogoutSuccessSource(ctx) {
        // "Stay signed in" ends here as well.
        const { accountId } = await ctx.oidc.provider.Session.get(ctx);
        if (accountId === undefined) pages.signedOut(ctx);
        else pages.stillSignedIn(ctx);
      },
    },
    userinfo: { enabled: true },
    deviceFlow: {
      enabled: settings.device_flow.enabled,
      charset: 'base-20',
      mask: '****-****',
      userCodeInputSource: (ctx, form, _out, error) => {
        if (error && ctx.oidc.session && isNeverStored(ctx.oidc.session)) return startAgain(ctx, ctx.oidc.session);
        const { userCode } = (error ?? {}) as { userCode?: string };
        const problem = error && problemOf(error);
        pages.deviceCode(ctx, {
          action: actionOf(ctx, 'code_verification'),
          fields: fieldsOf(form),
          ...(userCode === undefined ? {} : { userCode }),
          ...(problem === undefined ? {} : { problem }),
        });
      },
      userCodeConfirmSource: (ctx, form, _client, _device, userCode) =>
        pages.deviceConfirm(ctx, { action: actionOf(ctx, 'code_verification'), fields: fieldsOf(form), userCode }),
      successSource: (ctx) => pages.deviceDone(ctx),
    },
    registration: {
      enabled: settings.registration.enabled,
      initialAccessToken: settings.registration.initial_access_token ?? false,
    },
    registrationManagement: { enabled: settings.registration.enabled },
  };
}

interface UnstoredSession {
  readonly exp?: number;
  touched?: boolean;
}

/** Of somebody without cookies: the library stores a session before it knows that there is an error to show. */
const isNeverStored = (session: object): session is UnstoredSession => (session as UnstoredSession).exp === undefined;

/** The library would save that session, and fail as it has no end; the page itself gives one. */
function startAgain(ctx: KoaContextWithOIDC, session: UnstoredSession): void {
  session.touched = false;
  ctx.status = 303;
  ctx.redirect(actionOf(ctx, 'code_verification'));
}

/** The library hands over a form as HTML; our pages write their own around the same hidden fields. */
function fieldsOf(form: string): Record<string, string> {
  const hidden = form.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g);
  return Object.fromEntries([...hidden].map(([, name = '', value = '']) => [name, unescapeHtml(value)]));
}

const unescapeHtml = (html: string): string =>
  html.replace(
    /&(lt|gt|quot|#39|amp);/g,
    (_all, name: string) => ({ lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' })[name] ?? '',
  );

const actionOf = (ctx: KoaContextWithOIDC, route: string): string => new URL(ctx.oidc.urlFor(route)).pathname;

/** Suspension counts for the tokens that are out already; one in a client's own name concerns nobody. */
async function isSomebodys(token: object, accounts: Accounts): Promise<boolean> {
  if (!('accountId' in token) || typeof token.accountId !== 'string') return true;
  return may(await accounts.find(token.accountId), 'userinfo');
}

const audienceOf = (token: object): unknown => ('aud' in token ? token.aud : undefined);

/** What the library's errors of the code page mean for the person holding the device. */
const DEVICE_PROBLEMS: Readonly<Record<string, string>> = {
  NoCodeError: 'code_required',
  NotFoundError: 'code_invalid',
  ExpiredError: 'code_expired',
  AlreadyUsedError: 'code_used',
  AbortedError: 'code_refused',
  UnmetAuthenticationRequirements: 'code_unmet',
};
const problemOf = (error: Error): string =>
  DEVICE_PROBLEMS[error.name] ?? DEVICE_PROBLEMS[error.constructor.name] ?? 'unexpected';
