import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { UpstreamSessions } from '../federation/index.ts';
import { VestibuleError } from '../kernel/errors.ts';

/**
 * What a sign-in rests on at external providers becomes its session's, once that is stored: whichever of sign-in and
 * sign-out there comes first, one of them finds the other. A session of which it can't be kept does not live.
 */
export function keepUpstreamSessions(sessions: UpstreamSessions): Middleware {
  return async (ctx, next) => {
    await next();
    const { oidc } = ctx as unknown as KoaContextWithOIDC;
    const login = oidc?.result?.login;
    // The interaction that ended: what the library names is another one by now, if there is more to ask.
    const interaction = /^\/(?:auth|device)\/([\w-]+)$/.exec(ctx.path)?.[1];
    if (!login || !oidc.session || interaction === undefined) return;
    const { uid, exp } = oidc.session;
    let isAlive = false;
    try {
      isAlive = await sessions.adopt(interaction, { uid, accountId: login.accountId, expiresAt: exp });
    } finally {
      if (!isAlive) await oidc.session.destroy();
    }
    if (!isAlive) throw new VestibuleError('session_expired', 400);
  };
}
