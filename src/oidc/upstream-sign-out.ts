import type { Context, Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { UpstreamSessions, UpstreamSignOuts } from '../federation/index.ts';
import { isSameText } from '../kernel/same-text.ts';
import { isUnasked } from './logout.ts';
import type { ProviderPages } from './pages.ts';

const COOKIE = 'vestibule_sign_out';

/** Signing out at external providers after signing out here. */
export interface UpstreamSignOut {
  /** Sends whoever was signed out here on to the providers that the session rested on. */
  readonly leave: Middleware;
  /** Somebody is back from one. @returns where to go on, an address or a path of this server */
  returned(ctx: Context, provider: string, state: string): Promise<string>;
}

/** @param deps.signedOut path of the page that says who is signed in, or that nobody is */
export function createUpstreamSignOut(deps: {
  sessions: UpstreamSessions;
  signOuts: UpstreamSignOuts;
  pages: Pick<ProviderPages, 'signedOut'>;
  https: boolean;
  signedOut: string;
}): UpstreamSignOut {
  const { sessions, signOuts, pages, https, signedOut } = deps;
  const name = https ? `__Host-${COOKIE}` : COOKIE;

  /** Stops an address of somebody else's sign-out from leading this browser where theirs was to go. */
  const bind = (ctx: Context, state: string | undefined): void => {
    const options = { httpOnly: true, sameSite: 'lax', secure: https, path: '/', signed: false } as const;
    ctx.cookies.set(name, state ?? null, options);
  };
  const isBound = (ctx: Context, state: string): boolean =>
    isSameText(ctx.cookies.get(name, { signed: false }) ?? '', state);

  return {
    leave: async (ctx, next) => {
      await next();
      const { oidc } = ctx as unknown as KoaContextWithOIDC;
      const session = oidc?.session as { uid: string; destroyed?: boolean } | undefined;
      if (oidc?.route !== 'end_session_confirm' || !session?.destroyed) return;
      const signIns = await sessions.take(session.uid);
      const location = ctx.response.get('location');
      // Somebody else is signing in over this session, and is on the way back to their own sign-in.
      const isOnTheWayIn = ['auth', 'device'].some((path) => location.startsWith(`${oidc.issuer}/${path}/`));
      if (signIns.length === 0 || isOnTheWayIn) return;
      const { address, state } = await signOuts.begin(signIns, location);
      if (state === undefined) return;
      bind(ctx, state);
      if (!isUnasked(ctx.req)) return ctx.redirect(address);
      // Straight from a form of the portal's, whose policy (CSP `form-action`) may well allow it to end here, but nowhere
      // else: browsers that follow that through redirects would stop. From a page they go on.
      ctx.remove('Location');
      ctx.status = 200;
      pages.signedOut(ctx as unknown as KoaContextWithOIDC);
      ctx.set('Refresh', `0;url=${address}`);
    },

    async returned(ctx, provider, state) {
      const next = isBound(ctx, state) ? await signOuts.returned(provider, state) : undefined;
      if (!next) return signedOut;
      bind(ctx, next.state);
      return next.address;
    },
  };
}
