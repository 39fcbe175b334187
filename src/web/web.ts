import type { Context } from 'koa';
import type { Accounts } from '../accounts/index.ts';
import type { Audit } from '../audit/index.ts';
import type { Config } from '../config/config.ts';
import { type ClientFile, clientSchema } from '../config/schema/client.ts';
import type { Language } from '../config/schema/values.ts';
import type { Credentials } from '../credentials/index.ts';
import type { Federation, Offered, UpstreamKeys } from '../federation/index.ts';
import type { Texts } from '../i18n/index.ts';
import type { Attempts, Journeys, Ladder } from '../journey/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Random } from '../kernel/random.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { Notices } from '../notifications/index.ts';
import type { OidcProvider, ProviderPages, SignOutEverywhere } from '../oidc/index.ts';
import type { Recovery } from '../recovery/index.ts';
import { createAccountRoutes, createAccountSessions } from './account/index.ts';
import { createAssetRoutes } from './asset-routes.ts';
import { changePassword } from './change-password.ts';
import { createDeviceCookie } from './device-cookie.ts';
import { createExternalRoutes } from './external/index.ts';
import { createInteractionRoutes } from './interaction/index.ts';
import { createKnownDeviceCookie } from './known-device-cookie.ts';
import type { Metrics } from './metrics.ts';
import { failures } from './middleware/failures.ts';
import { createForms } from './middleware/forms.ts';
import { logoutByPost } from './middleware/logout-by-post.ts';
import { request } from './middleware/request.ts';
import { securityHeaders } from './middleware/security-headers.ts';
import { type Asked, createPageWriter } from './page-writer.ts';
import { createAssets, createPages } from './pages/index.ts';
import { createProviderPages } from './provider-pages.ts';
import { readQueriesInLinearTime } from './query.ts';
import { clientOf, createRecoveryRoutes, signInOf } from './recovery/index.ts';
import { relatedOrigins } from './related-origins.ts';

export interface WebDependencies {
  readonly config: Config;
  readonly journeys: Journeys;
  readonly ladder: Ladder;
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly credentials: Credentials;
  readonly texts: Texts;
  readonly notices: Notices;
  readonly recovery: Recovery;
  readonly federation: Federation;
  readonly upstreamKeys: UpstreamKeys;
  readonly attempts: Attempts;
  readonly signOutEverywhere: SignOutEverywhere;
  readonly clock: Clock;
  readonly secretBox: SecretBox;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly random: Random;
}

export interface Web {
  /** What the provider shows where it can't redirect. */
  readonly providerPages: ProviderPages;
  /** Whether the browser of a request is trusted with an account. */
  isTrustedDevice(ctx: Context, accountId: string): Promise<boolean>;
  /** Puts our middleware and routes before the protocol's own. */
  mount(provider: OidcProvider): void;
}

/** Reads views, texts and assets once; from then on a page is a function call. */
export function createWeb(deps: WebDependencies): Web {
  const { config, journeys, texts, logger, metrics, random } = deps;
  const overlay = config.branding.overlay;
  const assets = createAssets(config, { logger });
  const pages = createPages({
    texts,
    assets,
    branding: config.branding,
    clock: deps.clock,
    identities: config.providers.length > 0,
    ...(overlay === undefined ? {} : { overlay }),
  });
  const files = new Map(config.clients.map((file) => [file.client_id, file]));
  const clientFile = (client: RegisteredClient | undefined): ClientFile | undefined =>
    client && (files.get(client.clientId) ?? fileOfStranger(client));

  let provider: OidcProvider | undefined;
  const findClient = async (clientId: string | undefined): Promise<ClientFile | undefined> => {
    if (clientId === undefined) return undefined;
    return files.get(clientId) ?? clientFile(await provider?.app.Client.find(clientId));
  };
  /** Of a page of a sign-in, or of one that was reached from there. @param known uid that the address doesn't name */
  const askedAt = async (ctx: Context, known?: string): Promise<Asked> => {
    const uid = known ?? /^\/interaction\/([\w-]{1,64})/.exec(ctx.path)?.[1] ?? signInOf(ctx);
    if (!uid) return { client: await findClient(clientOf(ctx)) };
    const [journey, request] = await Promise.all([journeys.remembered(uid), provider?.interactions.requestOf(uid)]);
    return {
      chosen: journey?.language,
      uiLocales: request?.uiLocales,
      client: await findClient(journey?.clientId ?? request?.clientId ?? clientOf(ctx)),
    };
  };
  const https = config.issuer.startsWith('https://');
  const devices = createDeviceCookie({ credentials: deps.credentials, random, https });
  const knownDevices = createKnownDeviceCookie({ credentials: deps.credentials, https });
  const externals = (offered: readonly Offered[], language: Language) =>
    offered.map((provider) => assets.externalWay(provider, language));
  const writer = createPageWriter({ config, pages, assets, askedAt });

  return {
    providerPages: createProviderPages({ pages: writer, clientFile }),
    isTrustedDevice: (ctx, accountId) => deps.credentials.trustedDevices.isTrusted(accountId, devices.of(ctx)),
    mount(mounted) {
      provider = mounted;
      const { app, interactions, signedIn } = mounted;
      const forms = createForms({ secretBox: deps.secretBox, issuer: config.issuer });
      const routes = createInteractionRoutes({
        ...deps,
        devices,
        knownDevices,
        https,
        externals,
        interactions,
        forms,
        pages: writer,
        client: findClient,
      });
      const external = createExternalRoutes({ ...deps, oidc: mounted });
      const sessions = createAccountSessions({ ...deps, signedIn });
      const account = createAccountRoutes({ ...deps, knownDevices, externals, sessions, forms, pages: writer });
      const recovery = createRecoveryRoutes({ ...deps, https, interactions, forms, pages: writer, askedAt });
      readQueriesInLinearTime(app);
      app.use(request({ logger, metrics, random }));
      app.use(failures({ logger, pages: writer }));
      app.use(securityHeaders(https));
      for (const each of mounted.afterAnswers) app.use(each);
      if (!https || config.features.authorization_post === false) app.use(logoutByPost);
      app.use(createAssetRoutes(assets));
      app.use(relatedOrigins(deps.credentials.passkey.relatedOrigins));
      app.use(changePassword);
      for (const router of [routes, external, ...account, ...recovery]) {
        app.use(router.routes());
        app.use(router.allowedMethods());
      }
    },
  };
}

interface RegisteredClient {
  readonly clientId: string;
  readonly clientName?: string | undefined;
  readonly clientUri?: string | undefined;
}

/** A dynamically registered client has no file: neutral looks, its own name. Its addresses are
 *  not offered as links, as nobody here has looked at them. */
function fileOfStranger({ clientId, clientName }: RegisteredClient): ClientFile {
  return { ...STRANGER, client_id: clientId, client_name: clientName ?? clientId };
}

const STRANGER: ClientFile = clientSchema.parse({ client_id: 'stranger', client_name: 'stranger' });
