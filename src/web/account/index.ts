/**
 * The account area: where people manage how they sign in. `session.ts` says who is there and whether
 * they proved it recently and strongly enough; each other file is one section of it.
 */
import Router from '@koa/router';
import type { Context } from 'koa';
import { ACCOUNT_RETURN } from '../../oidc/index.ts';
import { redirect } from '../answers.ts';
import { createIdentityRoutes } from './identities.ts';
import { createPasskeyRoutes } from './passkeys.ts';
import { createPasswordRoutes } from './password.ts';
import type { AccountDependencies } from './section.ts';
import { createTwoFactorRoutes } from './two-factor.ts';

export { createAccountSessions } from './session.ts';

export function createAccountRoutes(deps: AccountDependencies): readonly Router[] {
  return [
    createReturnRoute(deps),
    createPasskeyRoutes(deps),
    createPasswordRoutes(deps),
    createTwoFactorRoutes(deps),
    createIdentityRoutes(deps),
  ];
}

/** The account area's own sign-in comes back here, with where to go on in `state`. */
function createReturnRoute({ sessions, pages }: AccountDependencies): Router {
  const router = new Router();
  router.get(ACCOUNT_RETURN, async (ctx) => {
    const back = placeIn(ctx);
    if (ctx.query.error === undefined) return redirect(ctx, back);
    const found = await sessions.visitor(ctx, back);
    // Cancelled by somebody who isn't signed in: nothing is left to show.
    if (!('visitor' in found)) return pages.write(ctx, 'signed-out', {});
    if (ctx.query.error !== 'unmet_authentication_requirements') return redirect(ctx, homeOf(back));
    pages.write(ctx, 'account-refused', { reason: 'needs_stronger', retryHref: back, backHref: homeOf(back) });
  });
  return router;
}

/** The section a place belongs to. */
const homeOf = (place: string): string => place.split('/').slice(0, 3).join('/');

/** Only a place of the account area: the parameter may have been written by anybody (open redirect). */
function placeIn(ctx: Context): string {
  const { state } = ctx.query;
  return typeof state === 'string' &&
    /^\/account\/(passkeys|password|two-factor|identities)(\/[\w-]{1,1400}){0,2}$/.test(state)
    ? state
    : '/account/passkeys';
}
