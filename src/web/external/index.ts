/**
 * What external providers see of this server: its keys, and where they answer. Whose browser brought an answer is not
 * known here: it is sent on to where its cookie says so.
 */
import Router from '@koa/router';
import type { Context } from 'koa';
import type { Audit } from '../../audit/index.ts';
import { type Federation, refusal, UpstreamError, type UpstreamKeys } from '../../federation/index.ts';
import { VestibuleError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { OidcProvider } from '../../oidc/index.ts';
import { redirect, sendJson } from '../answers.ts';
import { readBody } from '../middleware/forms.ts';

/** Seconds that an upstream may keep our keys: shorter than both of a rotation stand beside each other. */
const KEYS_MAX_AGE = 3600;

export interface ExternalDependencies {
  readonly federation: Federation;
  readonly upstreamKeys: UpstreamKeys;
  readonly logger: Logger;
  readonly audit: Audit;
  readonly oidc: Pick<OidcProvider, 'signedOutUpstream' | 'endUpstreamSessions'>;
}

export function createExternalRoutes(deps: ExternalDependencies): Router {
  const { federation, upstreamKeys, logger, audit, oidc } = deps;
  const router = new Router();

  router.get('/external/jwks', async (ctx) => {
    ctx.set('Cache-Control', `public, max-age=${KEYS_MAX_AGE}`);
    ctx.body = JSON.stringify(await upstreamKeys.publicJwks());
    ctx.type = 'application/jwk-set+json';
  });

  const deliver = async (ctx: Context, parameters: URLSearchParams): Promise<void> => {
    const { provider = '' } = ctx.params;
    try {
      redirect(ctx, await federation.deliver(provider, parameters));
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      logger.info({ event: 'federation.refused', request_id: ctx.state.requestId, provider, reason: error.reason });
      throw refusal(provider, error);
    }
  };

  router.get('/external/:provider/callback', (ctx) => deliver(ctx, new URLSearchParams(ctx.querystring)));

  // `response_mode=form_post`: sent by a page of the upstream, hence without our cookies and from another origin.
  router.post('/external/:provider/callback', async (ctx) => {
    if (!ctx.is('application/x-www-form-urlencoded')) throw new VestibuleError('unsupported_media', 415);
    await deliver(ctx, new URLSearchParams(await readBody(ctx)));
  });

  // OpenID Connect Back-Channel Logout 1.0 §2.5: called by the provider itself. The token says who it is; no cookie does.
  router.post('/external/:provider/logout', async (ctx) => {
    const { provider = '' } = ctx.params;
    const { requestId } = ctx.state;
    try {
      await federation.takeLogout(provider, await logoutTokenIn(ctx), (logout) =>
        oidc.endUpstreamSessions(provider, logout, (accountId) =>
          audit.record({ event: 'session.ended_by_provider', accountId, requestId, details: { provider } }),
        ),
      );
      logger.info({ event: 'federation.logout', request_id: requestId, provider });
      // §2.8; whoever was signed out already is.
      ctx.set('Cache-Control', 'no-store');
      ctx.status = 200;
      ctx.body = '';
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      const { reason, message } = error;
      logger.info({ event: 'federation.logout_refused', request_id: requestId, provider, reason, problem: message });
      ctx.status = 400;
      sendJson(ctx, { error: 'invalid_request', error_description: 'the logout token was refused' });
    }
  });

  // Where a provider sends whoever was signed out there, after signing out here.
  router.get('/external/:provider/logged-out', async (ctx) => {
    const { provider = '' } = ctx.params;
    const states = new URLSearchParams(ctx.querystring).getAll('state');
    redirect(ctx, await oidc.signedOutUpstream(ctx, provider, states.length === 1 ? (states[0] ?? '') : ''));
  });

  return router;
}

/** @throws UpstreamError `parameters`; VestibuleError `too_large` (413) */
async function logoutTokenIn(ctx: Context): Promise<string> {
  const isForm = ctx.is('application/x-www-form-urlencoded');
  const tokens = isForm ? new URLSearchParams(await readBody(ctx)).getAll('logout_token') : [];
  if (tokens.length !== 1) throw new UpstreamError('parameters', 'no logout token, or more than one');
  return tokens[0] ?? '';
}
