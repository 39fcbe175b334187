import Router from '@koa/router';
import type { Context } from 'koa';
import { CEREMONY_LIFETIME, NAME_MAX_LENGTH, type Owner } from '../../credentials/index.ts';
import { VestibuleError } from '../../kernel/errors.ts';
import { redirect, sendJson, sendProblem, wantsJson } from '../answers.ts';
import { type AccountDependencies, admit, purposeOf, recorder } from './section.ts';
import type { Visitor } from './session.ts';

const LIST = '/account/passkeys';
const ADD = `${LIST}/add`;

/** The passkeys of whoever is signed in: list, add, rename, delete. Nobody else's is ever looked at. */
export function createPasskeyRoutes(deps: AccountDependencies): Router {
  const { sessions, credentials, federation, notices, forms, pages, metrics } = deps;
  const router = new Router();

  const record = recorder(deps);

  router.get('/account', async (ctx) => redirect(ctx, LIST));

  router.get(LIST, async (ctx) => {
    const visitor = admit(ctx, await sessions.visitor(ctx, LIST));
    if (!visitor) return;
    const { account } = visitor;
    const [passkeys, signals, isStrong] = await Promise.all([
      credentials.passkey.list(account.id),
      credentials.passkey.signals(account.id),
      sessions.isStrong(visitor),
    ]);
    pages.write(ctx, 'account-passkeys', {
      username: account.username,
      canAdd: credentials.passkey.attainable.length > 0,
      addHref: ADD,
      notice: noticeIn(ctx),
      needsStronger: !isStrong,
      passkeys: passkeys.map(({ id, name, provider, createdAt, lastUsedAt, synced }) => ({
        name,
        provider: provider ?? '',
        createdAt,
        lastUsedAt,
        synced,
        renameHref: `${LIST}/${id}`,
        deleteHref: `${LIST}/${id}/delete`,
      })),
      ...(signals && {
        signals: { ...signals, name: account.username, displayName: account.profile.name ?? account.username },
      }),
      signOutHref: '/session/end',
    });
  });

  router.get(ADD, async (ctx) => {
    const visitor = admit(ctx, await sessions.fresh(ctx, ADD));
    if (!visitor) return;
    pages.write(ctx, 'account-passkey-add', {
      action: ADD,
      optionsAction: `${ADD}/options`,
      csrf: forms.csrf(purposeOf(visitor)),
      backHref: LIST,
    });
  });

  router.post(`${ADD}/options`, async (ctx) => {
    const visitor = admit(ctx, await sessions.fresh(ctx, ADD));
    if (!visitor) return;
    await forms.read(ctx, purposeOf(visitor), []);
    sendJson(ctx, await credentials.passkey.beginEnrolment(purposeOf(visitor), ownerOf(visitor), false));
  });

  router.post(ADD, async (ctx) => {
    const visitor = admit(ctx, await sessions.freshAtStart(ctx, ADD, CEREMONY_LIFETIME));
    if (!visitor) return;
    const form = await forms.read(ctx, purposeOf(visitor), ['credential']);
    const outcome =
      form.credential === undefined
        ? { problem: 'passkey_no_script', reason: 'no_script' }
        : await credentials.passkey.enrol({
            binding: purposeOf(visitor),
            accountId: visitor.accountId,
            response: form.credential,
            userAgent: ctx.get('User-Agent'),
            record: async (name) => {
              await record(ctx, visitor, 'passkey.added', { name });
              return notices.about(visitor.accountId, { event: 'passkey_added', values: { name } });
            },
          });
    if ('problem' in outcome) {
      const problem = { code: outcome.problem };
      metrics.step('account-passkey-add', problem.code);
      await record(ctx, visitor, 'passkey.refused', { reason: outcome.reason });
      if (wantsJson(ctx)) return sendProblem(ctx, { ...problem, status: 400, detail: pages.sentence(ctx, problem) });
      ctx.status = 400;
      const csrf = forms.csrf(purposeOf(visitor));
      return pages.write(ctx, 'account-passkey-add', {
        action: ADD,
        optionsAction: `${ADD}/options`,
        csrf,
        problem,
        backHref: LIST,
      });
    }
    const { id } = outcome.created;
    metrics.step('account-passkey-add', 'ok');
    redirect(ctx, `${LIST}/${id}?new`);
  });

  router.get(`${LIST}/:id`, async (ctx) => {
    const { id = '' } = ctx.params;
    const visitor = admit(ctx, await sessions.visitor(ctx, LIST));
    if (!visitor) return;
    const { name } = await find(visitor, id);
    pages.write(ctx, 'account-passkey-name', nameForm(ctx, visitor, id, name));
  });

  router.post(`${LIST}/:id`, async (ctx) => {
    const { id = '' } = ctx.params;
    const visitor = admit(ctx, await sessions.visitor(ctx, LIST));
    if (!visitor) return;
    const name = ((await forms.read(ctx, purposeOf(visitor), ['name'])).name ?? '').trim().normalize('NFC');
    await find(visitor, id);
    const problem = nameProblem(name);
    if (problem) {
      ctx.status = 400;
      const model = nameForm(ctx, visitor, id, name.slice(0, NAME_MAX_LENGTH));
      return pages.write(ctx, 'account-passkey-name', { ...model, problem: { code: problem } });
    }
    await credentials.passkey.rename(visitor.accountId, id, name);
    await record(ctx, visitor, 'passkey.renamed', { name });
    redirect(ctx, `${LIST}?done=${ctx.query.new === undefined ? 'renamed' : 'added'}`);
  });

  router.get(`${LIST}/:id/delete`, async (ctx) => {
    const { id = '' } = ctx.params;
    const visitor = admit(ctx, await sessions.fresh(ctx, ctx.path));
    if (!visitor) return;
    const [{ name, provider }, all] = await Promise.all([
      find(visitor, id),
      credentials.passkey.list(visitor.accountId),
    ]);
    pages.write(ctx, 'account-passkey-delete', {
      action: ctx.path,
      csrf: forms.csrf(purposeOf(visitor)),
      name,
      provider: provider ?? '',
      lastOne: all.length === 1,
      backHref: LIST,
    });
  });

  router.post(`${LIST}/:id/delete`, async (ctx) => {
    const { id = '' } = ctx.params;
    const visitor = admit(ctx, await sessions.fresh(ctx, ctx.path));
    if (!visitor) return;
    await forms.read(ctx, purposeOf(visitor), []);
    const { name } = await find(visitor, id);
    const trail = async () => {
      await record(ctx, visitor, 'passkey.removed', { name });
      return notices.about(visitor.accountId, { event: 'passkey_removed', values: { name } });
    };
    const waysIn = await credentials.waysIn(visitor.accountId, (provider) => federation.find(provider) !== undefined);
    if (!(await credentials.passkey.delete(visitor.accountId, id, waysIn, trail))) {
      ctx.status = 409;
      return pages.write(ctx, 'account-refused', { reason: 'last_way_in', backHref: LIST });
    }
    redirect(ctx, `${LIST}?done=deleted`);
  });

  /** @throws VestibuleError `passkey_gone` (404): another's is as absent as one that never was */
  const find = async ({ accountId }: Visitor, id: string) => {
    const found = (await credentials.passkey.list(accountId)).find((passkey) => passkey.id === id);
    if (!found) throw new VestibuleError('passkey_gone', 404);
    return found;
  };

  const nameForm = (ctx: Context, visitor: Visitor, id: string, name: string) => ({
    action: ctx.query.new === undefined ? `${LIST}/${id}` : `${LIST}/${id}?new`,
    csrf: forms.csrf(purposeOf(visitor)),
    name,
    isNew: ctx.query.new !== undefined,
    backHref: LIST,
  });

  return router;
}

const ownerOf = ({ account }: Visitor): Owner => ({
  accountId: account.id,
  username: account.username,
  displayName: account.profile.name,
});

const NOTICES = ['added', 'renamed', 'deleted'] as const;
const noticeIn = (ctx: Context) => NOTICES.find((notice) => notice === ctx.query.done);

/** Nothing that ends a line: names stand in the log and in mails. */
function nameProblem(name: string): string | undefined {
  if (name === '') return 'name_required';
  return [...name].length > NAME_MAX_LENGTH || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(name) ? 'name_too_long' : undefined;
}
