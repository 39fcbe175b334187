import type { Context } from 'koa';
import { type Accounts, may } from '../../accounts/index.ts';
import type { Config } from '../../config/config.ts';
import type { Credentials } from '../../credentials/index.ts';
import type { Ladder } from '../../journey/index.ts';
import { type Clock, epochSeconds } from '../../kernel/clock.ts';
import { accountSignIn, type SignedIn } from '../../oidc/index.ts';
import type { Account } from '../../storage/ports.ts';

/** Whoever uses the account area, and what the session says of how they signed in. */
export interface Visitor extends SignedIn {
  readonly account: Account;
}

/** Either somebody, or where to send the browser first. */
export type Found = { readonly visitor: Visitor } | { readonly signIn: string };

export interface AccountSessions {
  /** Whoever is signed in. @param back path to come back to */
  visitor(ctx: Context, back: string): Promise<Found>;
  /**
   * Somebody who proved just now who they are, as strongly as the account can: what every change to
   * how one signs in needs (security-catalogue: wrong step-up proof).
   */
  fresh(ctx: Context, back: string): Promise<Found>;
  /** Somebody who proved, however long ago, who they are as strongly as the account can. */
  strong(ctx: Context, back: string): Promise<Found>;
  /** Whether what was proven, however long ago, is as strong as the account can show. */
  isStrong(visitor: Visitor): Promise<boolean>;
  /** The same at the end of something that was begun in time: what was made by then is not thrown away.
   *  @param seconds it may take */
  freshAtStart(ctx: Context, back: string, seconds: number): Promise<Found>;
}

export function createAccountSessions(deps: {
  config: Config;
  accounts: Accounts;
  credentials: Credentials;
  ladder: Ladder;
  clock: Clock;
  signedIn(ctx: Context): Promise<SignedIn | undefined>;
}): AccountSessions {
  const { config, accounts, credentials, ladder, clock } = deps;
  const { issuer, account: settings } = config;

  const visitor = async (ctx: Context, back: string): Promise<Found> => {
    const session = await deps.signedIn(ctx);
    const account = session && (await accounts.find(session.accountId));
    // Suspended or deleted since: the protocol's own policy says what to do about that.
    if (!session || !account || !may(account, 'session')) return { signIn: accountSignIn(issuer, back) };
    return { visitor: { ...session, account } };
  };

  const shownBy = ({ acr }: Pick<SignedIn, 'acr'>) => [ladder.ofSession({ amr: [], acr })];

  const within = async (seconds: number, ctx: Context, back: string): Promise<Found> => {
    const found = await visitor(ctx, back);
    if ('signIn' in found) return found;
    const { authTime, accountId } = found.visitor;
    const potential = await credentials.potential(accountId);
    // The same comparison as for `max_age`, or the browser would be sent to and fro.
    const isFresh = epochSeconds(clock) - authTime <= seconds;
    if (isFresh && ladder.mayChangeFactors(shownBy(found.visitor), potential)) return found;
    const demands = { maxAge: settings.proof_age, acr: ladder.acrOf(potential) };
    return { signIn: accountSignIn(issuer, back, demands) };
  };

  return {
    visitor,
    isStrong: async (who) => ladder.mayChangeFactors(shownBy(who), await credentials.potential(who.accountId)),
    strong: (ctx, back) => within(Number.POSITIVE_INFINITY, ctx, back),
    fresh: (ctx, back) => within(settings.proof_age, ctx, back),
    freshAtStart: (ctx, back, seconds) => within(settings.proof_age + seconds, ctx, back),
  };
}
