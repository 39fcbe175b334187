import Router from '@koa/router';
import type { Context } from 'koa';
import { ACCOUNT_AREA } from '../../config/schema/client.ts';
import { type Identity, refusal, TRANSACTION_LIFETIME, UpstreamError } from '../../federation/index.ts';
import { VestibuleError } from '../../kernel/errors.ts';
import { redirect } from '../answers.ts';
import type { Problem } from '../pages/index.ts';
import { type AccountDependencies, admit, purposeOf, recorder } from './section.ts';
import type { Visitor } from './session.ts';

const LIST = '/account/identities';
const RETURN = `${LIST}/return`;
/** What the transaction is for: an answer to a sign-in links nothing. */
const PURPOSE = 'link';
const METRIC = 'account-identity-link';

/** The identities at external providers that sign in whoever is signed in: list, link, unlink. */
export function createIdentityRoutes(deps: AccountDependencies): Router {
  const { sessions, accounts, credentials, federation, notices, forms, pages, metrics } = deps;
  const { external } = credentials;
  const record = recorder(deps);
  const router = new Router();

  /** Chosen with this very request, maybe: the page's own language, before it is written. */
  const languageOf = (ctx: Context) =>
    pages.language(ctx, typeof ctx.query.lang === 'string' ? { chosen: ctx.query.lang } : {});
  const offered = () => federation.offered(ACCOUNT_AREA);
  /** As pages write it; of a provider that is there no longer, the name of its file. */
  const nameOf = (ctx: Context, provider: string): string => {
    const found = federation.find(provider);
    const [way] = found ? deps.externals([found], languageOf(ctx)) : [];
    return way?.name ?? provider;
  };

  const show = async (ctx: Context, visitor: Visitor, problem?: Problem): Promise<void> => {
    const [identities, isStrong] = await Promise.all([external.list(visitor.accountId), sessions.isStrong(visitor)]);
    pages.write(ctx, 'account-identities', {
      username: visitor.account.username,
      action: LIST,
      csrf: forms.csrf(purposeOf(visitor)),
      identities: identities.map(({ id, provider, ...identity }) => ({
        ...identity,
        provider: nameOf(ctx, provider),
        unlinkHref: `${LIST}/${id}/unlink`,
      })),
      externals: deps.externals(offered(), languageOf(ctx)),
      needsStronger: !isStrong,
      signOutHref: '/session/end',
      ...(problem ? { problem } : { notice: NOTICES.find((notice) => notice === ctx.query.done) }),
    });
  };

  /** What a link came to when it was not made; said on the list, which may be loaded again. */
  const refusalIn = (ctx: Context): Problem | undefined => {
    const { refused, provider } = ctx.query;
    if (typeof provider !== 'string' || !federation.find(provider)) return undefined;
    const found = Object.entries(REFUSALS).find(([word]) => word === refused);
    return found && { code: found[1], values: { provider: nameOf(ctx, provider) } };
  };

  router.get(LIST, async (ctx) => {
    const visitor = admit(ctx, await sessions.visitor(ctx, LIST));
    if (visitor) await show(ctx, visitor, refusalIn(ctx));
  });

  /** Back on the list. */
  const refuse = async (ctx: Context, visitor: Visitor, provider: string, reason: keyof typeof REFUSALS) => {
    metrics.step(METRIC, REFUSALS[reason]);
    await record(ctx, visitor, 'identity.refused', { provider, reason });
    redirect(ctx, `${LIST}?${new URLSearchParams({ refused: reason, provider })}`);
  };

  /** @throws VestibuleError `external_failed`, `external_expired`; anything that is no refusal */
  const fail = async (ctx: Context, visitor: Visitor, provider: string, error: unknown): Promise<void> => {
    if (!(error instanceof UpstreamError)) throw error;
    const { reason } = error;
    if (error.cancelled) return refuse(ctx, visitor, provider, 'cancelled');
    metrics.step(METRIC, 'external_failed');
    await record(ctx, visitor, 'identity.refused', { provider, reason });
    throw refusal(provider, error);
  };

  router.post(LIST, async (ctx) => {
    const visitor = admit(ctx, await sessions.fresh(ctx, LIST));
    if (!visitor) return;
    const { alternative = '' } = await forms.read(ctx, purposeOf(visitor), ['alternative']);
    const provider = alternative.replace(/^external:/, '');
    // Switched off since the page was shown.
    if (!offered().some(({ id }) => id === provider)) {
      ctx.status = 400;
      return show(ctx, visitor, { code: 'external_not_available', values: { provider: nameOf(ctx, provider) } });
    }
    const on = { provider, purpose: PURPOSE, binding: purposeOf(visitor), resume: `${RETURN}/${provider}` };
    try {
      // Asked anew: whoever left a session open there, on a computer that several people use, must not be linked.
      redirect(ctx, await federation.begin(on, { login: true, language: languageOf(ctx) }));
    } catch (error) {
      await fail(ctx, visitor, provider, error);
    }
  });

  router.get(`${RETURN}/:provider`, async (ctx) => {
    const { provider = '' } = ctx.params;
    // Switched off meanwhile, or made up.
    if (!federation.find(provider)) throw new VestibuleError('external_failed', 400);
    const visitor = admit(ctx, await sessions.freshAtStart(ctx, LIST, TRANSACTION_LIFETIME));
    if (!visitor) return;
    const { account, accountId } = visitor;
    const answer = typeof ctx.query.answer === 'string' ? ctx.query.answer : '';
    let identity: Identity;
    try {
      identity = await federation.redeem(answer, { provider, purpose: PURPOSE, binding: purposeOf(visitor) });
    } catch (error) {
      return fail(ctx, visitor, provider, error);
    }
    const linking = await external.link(accountId, identity, async () => {
      // Signed out everywhere while this was under way: whoever came back may be who was shut out.
      if ((await accounts.find(accountId))?.generation !== account.generation)
        throw new VestibuleError('changed_meanwhile', 409);
      await record(ctx, visitor, 'identity.linked', { provider });
      return notices.about(accountId, { event: 'identity_linked', values: { provider: nameOf(ctx, provider) } });
    });
    // Their own already: as it shall be.
    const isTheirs = linking === 'taken' && (await external.accountOf(identity)) === accountId;
    if (linking !== 'linked' && !isTheirs) return refuse(ctx, visitor, provider, linking);
    metrics.step(METRIC, 'ok');
    redirect(ctx, `${LIST}?done=linked`);
  });

  /** @throws VestibuleError `identity_gone` (404): another's is as absent as one that never was */
  const find = async ({ accountId }: Visitor, id: string) => {
    const all = await external.list(accountId);
    const found = all.find((identity) => identity.id === id);
    if (!found) throw new VestibuleError('identity_gone', 404);
    return { ...found, lastOne: all.length === 1 };
  };

  const waysInOf = ({ accountId }: Visitor) =>
    credentials.waysIn(accountId, (provider) => federation.find(provider) !== undefined);

  router.get(`${LIST}/:id/unlink`, async (ctx) => {
    const { id = '' } = ctx.params;
    const visitor = admit(ctx, await sessions.fresh(ctx, ctx.path));
    if (!visitor) return;
    const { provider, label, lastOne } = await find(visitor, id);
    if (await credentials.isLastWayIn(visitor.accountId, { kind: external.id, id }, await waysInOf(visitor)))
      return pages.write(ctx, 'account-refused', { reason: 'last_identity', backHref: LIST });
    pages.write(ctx, 'account-identity-unlink', {
      action: ctx.path,
      csrf: forms.csrf(purposeOf(visitor)),
      provider: nameOf(ctx, provider),
      label,
      lastOne,
      backHref: LIST,
    });
  });

  router.post(`${LIST}/:id/unlink`, async (ctx) => {
    const { id = '' } = ctx.params;
    const visitor = admit(ctx, await sessions.fresh(ctx, ctx.path));
    if (!visitor) return;
    await forms.read(ctx, purposeOf(visitor), []);
    const { provider } = await find(visitor, id);
    const values = { provider: nameOf(ctx, provider) };
    const trail = async () => {
      await record(ctx, visitor, 'identity.unlinked', { provider });
      return notices.about(visitor.accountId, { event: 'identity_unlinked', values });
    };
    if (!(await external.unlink(visitor.accountId, id, await waysInOf(visitor), trail))) {
      ctx.status = 409;
      return pages.write(ctx, 'account-refused', { reason: 'last_identity', backHref: LIST });
    }
    redirect(ctx, `${LIST}?done=unlinked`);
  });

  return router;
}

const NOTICES = ['linked', 'unlinked'] as const;

/** Why a link was not made, as the list's address says it, and the sentence about it. */
const REFUSALS = {
  cancelled: 'external_not_linked',
  taken: 'external_taken',
  too_many: 'external_too_many',
} as const;
