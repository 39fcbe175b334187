import Router from '@koa/router';
import type { Context } from 'koa';
import { type Accounts, may } from '../../accounts/index.ts';
import { type Audit, addressPrefix } from '../../audit/index.ts';
import type { ClientFile } from '../../config/schema/client.ts';
import type { Language } from '../../config/schema/values.ts';
import type { Federation, Offered } from '../../federation/index.ts';
import {
  amrOf,
  type BrowserAbilities,
  type Ended,
  fieldsOf,
  type JourneyInput,
  type JourneyState,
  type Journeys,
  type Ladder,
  type Showing,
  type StepEvent,
  type Submitted,
} from '../../journey/index.ts';
import { VestibuleError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Notices } from '../../notifications/index.ts';
import type { Interactions, PendingInteraction } from '../../oidc/index.ts';
import type { Recovery } from '../../recovery/index.ts';
import { redirect, sendJson, sendProblem, wantsJson } from '../answers.ts';
import type { DeviceCookie } from '../device-cookie.ts';
import { deviceName } from '../device-name.ts';
import type { KnownDeviceCookie } from '../known-device-cookie.ts';
import type { Metrics } from '../metrics.ts';
import type { Forms } from '../middleware/forms.ts';
import type { PageWriter } from '../page-writer.ts';
import type { ExternalWay, PageModel, Problem } from '../pages/index.ts';
import { clientOf, donePath, takeResume } from '../recovery/index.ts';

export interface InteractionDependencies {
  readonly interactions: Interactions;
  readonly journeys: Journeys;
  readonly ladder: Ladder;
  readonly devices: DeviceCookie;
  readonly knownDevices: KnownDeviceCookie;
  readonly recovery: Recovery;
  readonly notices: Notices;
  readonly federation: Federation;
  readonly https: boolean;
  /** As a page shows them, in a language. */
  externals(offered: readonly Offered[], language: Language): readonly ExternalWay[];
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly forms: Forms;
  readonly pages: PageWriter;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** The client's file, or one made up from its registration. */
  client(clientId: string): Promise<ClientFile | undefined>;
}

export function createInteractionRoutes(deps: InteractionDependencies): Router {
  const { interactions, journeys, forms, pages, metrics } = deps;
  const router = new Router();

  const providerName = (id: string, language: Language): string => {
    const found = deps.federation.find(id);
    return (found && deps.externals([found], language)[0]?.name) ?? id;
  };

  const show = async (ctx: Context, pending: PendingInteraction, showing: Showing): Promise<void> => {
    const { step, state, view } = showing;
    const path = `/interaction/${pending.uid}/${step}`;
    const asked = {
      chosen: state.language ?? pending.language,
      uiLocales: pending.uiLocales,
      client: await deps.client(pending.clientId),
    };
    const language = pages.language(ctx, asked);
    const problem = showing.problem && named(showing.problem, (id) => providerName(id, language));
    if (problem) ctx.status = 400;
    if (problem && wantsJson(ctx))
      return sendProblem(ctx, { code: problem.code, status: 400, detail: pages.sentence(ctx, problem, asked) });
    pages.write(
      ctx,
      step,
      {
        ...view,
        ...(typeof view.provider === 'string' ? { provider: providerName(view.provider, language) } : {}),
        ...(typeof view.linking === 'string' ? { linking: providerName(view.linking, language) } : {}),
        action: path,
        switchAction: path,
        optionsAction: `${path}/options`,
        recoveryHref: `/recovery?interaction=${pending.uid}`,
        externals: deps.externals(showing.externals, language),
        ...(step === 'consent' ? { confirmed: pending.confirmed } : {}),
        csrf: forms.csrf(purposeOf(pending.uid)),
        cancel: true,
        ...(problem ? { problem } : {}),
      } as PageModel,
      asked,
    );
  };

  /** From the page where a new password was chosen by a mailed link, if that was in the browser of this sign-in. */
  router.get('/interaction/:uid/resume', async (ctx) => {
    const { uid = '' } = ctx.params;
    const token = takeResume(ctx, deps.https);
    const pending = await interactions.find(ctx.req, ctx.res, uid).catch((error: unknown) => {
      if (error instanceof VestibuleError && error.code === 'session_expired') return undefined;
      throw error;
    });
    if (!pending) return redirect(ctx, donePath(uid, clientOf(ctx)));
    if (pending.answered) return redirect(ctx, pending.answered);
    const accountId = await deps.recovery.resume(token, uid);
    const adopted = accountId && (await journeys.adopt(accountId, await inputOf(ctx, pending, deps)));
    if (!adopted) return redirect(ctx, `/interaction/${uid}`);
    await conclude(ctx, pending, 'resume', adopted);
  });

  router.get(['/interaction/:uid', '/interaction/:uid/:step'], async (ctx) => {
    const uid = String(ctx.params.uid);
    const pending = await interactions.find(ctx.req, ctx.res, uid);
    if (pending.answered) return redirect(ctx, pending.answered);
    const input = await inputOf(ctx, pending, deps);

    if (ctx.query.lang !== undefined) {
      const language = pages.rememberLanguage(ctx);
      if (language) await journeys.chooseLanguage(language, input);
      return redirect(ctx, ctx.path);
    }
    const showing = await journeys.current(input);
    if (showing !== 'finished' && 'refused' in showing)
      return redirect(ctx, await interactions.refuse(pending, showing.refused));
    // Nothing left to ask but not answered: the answer itself was lost, and with it what was proven.
    if (showing === 'finished') throw new VestibuleError('session_expired', 400);
    // Another step's address, or back after a step was done: the step that is due.
    if (ctx.params.step !== undefined && ctx.params.step !== showing.step)
      return redirect(ctx, `/interaction/${uid}/${showing.step}`);
    await show(ctx, pending, showing);
  });

  /** Where the answer of an external provider is taken, in the browser that was sent there. */
  router.get('/interaction/:uid/external/:provider', async (ctx) => {
    const { uid = '', provider = '' } = ctx.params;
    const pending = await interactions.find(ctx.req, ctx.res, uid);
    if (pending.answered) return redirect(ctx, pending.answered);
    const answer = typeof ctx.query.answer === 'string' ? ctx.query.answer : '';
    await conclude(
      ctx,
      pending,
      'external',
      await journeys.returned(provider, answer, await inputOf(ctx, pending, deps)),
    );
  });

  /** What the script of a step's page begins with; where another step is due by now, its address. */
  router.post('/interaction/:uid/:step/options', async (ctx) => {
    const { uid = '', step = '' } = ctx.params;
    const form = await forms.read(ctx, purposeOf(uid), ['mediation']);
    const pending = await interactions.find(ctx.req, ctx.res, uid);
    if (pending.answered) return sendJson(ctx, { location: pending.answered });
    const begun = await journeys.begin(step, form, await inputOf(ctx, pending, deps));
    sendJson(ctx, 'go' in begun ? { location: `/interaction/${uid}/${begun.go}` } : begun.options);
  });

  router.post('/interaction/:uid/:step', async (ctx) => {
    const { uid = '', step = '' } = ctx.params;
    const form = await forms.read(ctx, purposeOf(uid), fieldsOf(step));
    const pending = await interactions.find(ctx.req, ctx.res, uid);
    // A second click: the first one's answer stands.
    if (pending.answered) return redirect(ctx, pending.answered);

    await conclude(ctx, pending, step, await journeys.submit(step, form, await inputOf(ctx, pending, deps)));
  });

  /** What came of a step: the same page again, the next one, or the way back to the portal. */
  const conclude = async (
    ctx: Context,
    pending: PendingInteraction,
    step: string,
    result: Submitted,
  ): Promise<void> => {
    const record = () => note(ctx, pending, step, result.events, deps);
    if ('again' in result) {
      metrics.step(step, result.again.problem?.code ?? 'again');
      await record();
      return show(ctx, pending, result.again);
    }
    metrics.step(step, 'refused' in result ? result.refused : 'ok');
    if ('go' in result) {
      await record();
      return redirect(ctx, `/interaction/${pending.uid}/${result.go}`);
    }
    if ('leave' in result) {
      await record();
      return redirect(ctx, result.leave);
    }
    // The trail first: what can't be recorded is not granted.
    if ('refused' in result) {
      await record();
      return redirect(ctx, await interactions.refuse(pending, result.refused));
    }
    await Promise.all([record(), meet(ctx, pending, result.finished, deps)]);
    await deps.devices.trust(ctx, result.finished);
    const [location] = await Promise.all([answer(pending, result.finished, deps), result.settle()]);
    redirect(ctx, location);
  };

  return router;
}

const purposeOf = (uid: string): string => `interaction ${uid}`;

/** With a provider's name, as people know it, in the place of its id. */
const named = (problem: Problem, nameOf: (id: string) => string): Problem =>
  typeof problem.values?.provider === 'string'
    ? { ...problem, values: { ...problem.values, provider: nameOf(problem.values.provider) } }
    : problem;

async function inputOf(
  ctx: Context,
  pending: PendingInteraction,
  deps: InteractionDependencies,
): Promise<JourneyInput> {
  const { accounts } = deps;
  const [account, client] = await Promise.all([
    pending.accountId === undefined ? undefined : accounts.find(pending.accountId),
    deps.client(pending.clientId),
  ]);
  const { scopes, claims, resources } = pending.asked;
  const asked = { chosen: pending.language, uiLocales: pending.uiLocales, client };
  return {
    uid: pending.uid,
    clientId: pending.clientId,
    expiresAt: pending.expiresAt,
    demand: {
      prompt: pending.prompt,
      levels: pending.levels,
      trustedDeviceSuffices: client?.vestibule.trusted_device_suffices === true,
    },
    address: addressPrefix(ctx.ip),
    browser: abilitiesOf(ctx),
    device: deps.devices.of(ctx),
    knownDevices: deps.knownDevices.of(ctx),
    origin: { uid: pending.uid, clientId: pending.clientId, language: deps.pages.language(ctx, asked) },
    record: (event) => note(ctx, pending, String(ctx.params.step ?? 'external'), [event], deps),
    maxAge: pending.maxAge,
    isAskedAnew: pending.isAskedAnew,
    ...(pending.loginHint === undefined ? {} : { loginHint: pending.loginHint.slice(0, 254) }),
    ...(account && may(account, 'session')
      ? {
          signedIn: {
            accountId: account.id,
            username: account.username,
            generation: account.generation,
            minimumAcr: account.minimumAcr,
            ...(pending.session ? { session: pending.session } : {}),
          },
        }
      : {}),
    ...(pending.prompt === 'consent'
      ? {
          consent: {
            username: account?.username ?? '',
            scopes: scopes.filter((scope) => scope !== 'offline_access'),
            claims,
            resources: Object.entries(resources).map(([indicator, wanted]) => ({ indicator, scopes: wanted })),
            offline: scopes.includes('offline_access'),
          },
        }
      : {}),
  };
}

async function answer(
  pending: PendingInteraction,
  { accountId, generation = 0, proofs, language }: Ended,
  { interactions, ladder }: InteractionDependencies,
): Promise<string> {
  if (pending.prompt === 'consent') return interactions.consent(pending);
  const last = proofs.at(-1);
  // Nobody is signed in without a proof, whatever the table said.
  if (accountId === undefined || last === undefined) throw new VestibuleError('session_expired', 400);
  const acr = ladder.acrOf(proofs, pending.levels);
  return interactions.signIn(pending, { accountId, generation, amr: amrOf(proofs), acr, at: last.at, language });
}

/** A browser the account was not signed in with before: its owner is told, in case it was somebody else. */
async function meet(
  ctx: Context,
  { prompt, clientId }: PendingInteraction,
  { accountId, generation = 0 }: Pick<JourneyState, 'accountId' | 'generation'>,
  { knownDevices, audit, notices }: InteractionDependencies,
): Promise<void> {
  if (prompt !== 'login' || accountId === undefined) return;
  const account = { id: accountId, generation };
  if (knownDevices.isKnown(ctx, account)) return;
  const device = deviceName(ctx.get('User-Agent'));
  const event = { event: 'device.new', accountId, clientId, requestId: ctx.state.requestId, details: { device } };
  await audit.record(
    { ...event, address: addressPrefix(ctx.ip) },
    notices.about(accountId, { event: 'new_device', values: { device } }),
  );
  // Only now: an owner who could not be told is told the next time.
  knownDevices.remember(ctx, account);
}

/** Written by the pages' script (`views/assets/passkeys.js`), so that the right page comes at once. */
const ABILITIES_COOKIE = 'vestibule_passkeys';

function abilitiesOf(ctx: Context): BrowserAbilities {
  const said = ctx.cookies.get(ABILITIES_COOKIE, { signed: false });
  const words = said?.split('.', 10) ?? [];
  return {
    passkeys: said === undefined ? undefined : words.includes('get'),
    platform: words.includes('platform'),
    automatic: words.includes('automatic'),
    userAgent: ctx.get('User-Agent'),
  };
}

async function note(
  ctx: Context,
  pending: PendingInteraction,
  step: string,
  events: readonly StepEvent[],
  { audit, logger, metrics }: InteractionDependencies,
): Promise<void> {
  await Promise.all(
    events.map(({ event, accountId, details }) => {
      const person = accountId ?? pending.accountId;
      if (event === 'login.succeeded' || event === 'login.failed')
        metrics.login(event === 'login.succeeded' ? 'succeeded' : 'failed');
      const { requestId } = ctx.state;
      logger.info({ event, request_id: requestId, client_id: pending.clientId, account: person, step, ...details });
      return audit.record({
        event,
        clientId: pending.clientId,
        requestId,
        address: addressPrefix(ctx.ip),
        ...(details === undefined ? {} : { details }),
        ...(person === undefined ? {} : { accountId: person }),
      });
    }),
  );
}
