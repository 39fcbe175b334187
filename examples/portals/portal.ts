import * as client from 'openid-client';
import { type Answer, file, json, page, readBody, redirect, type Visit, withCookie } from '../shared/http.ts';
import { createDocumentsApi, type Document } from './documents-api.ts';
import { LogoutTokens } from './logout-token.ts';
import { documentsPage, portalPage } from './pages.ts';
import type { Language, Portal } from './portals.ts';
import { type Demand, MULTI_FACTOR, RelyingParty } from './relying-party.ts';
import { type Session, Sessions } from './sessions.ts';
import type { Message } from './texts.ts';

const MAX_BODY_BYTES = 16_384;
/** Name of the page that shows what needs two factors. */
const DOCUMENTS = 'documents';

interface Options {
  readonly portal: Portal;
  readonly issuer: string;
  /** Full address of the portal's page. */
  readonly home: string;
  readonly log: (line: string) => void;
}

/** Answers what stands below a portal's path; undefined where there is no such address. */
type Answers = (action: string, visit: Visit) => Promise<Answer | undefined>;

/** What each address of one portal does. */
export function createPortal({ portal, issuer, home, log }: Options): Answers {
  const relyingParty = new RelyingParty(portal, issuer, home);
  const logoutTokens = new LogoutTokens(relyingParty, portal.clientId);
  const sessions = new Sessions(portal.path);

  const { assurance = MULTI_FACTOR } = portal;
  const documentsApi = createDocumentsApi({
    relyingParty,
    realm: portal.name,
    assurance,
    maxAge: portal.documentsMaxAge,
  });
  const documentsAddress = new URL(`${home}/api/documents`);

  /** Back to a page of the portal, with something to say there. */
  const goTo = (at: string, session: Session, message: Message | undefined): Answer => {
    if (message) session.message = message;
    return withCookie(redirect(at === '' ? home : `${home}/${at}`), sessions.cookie(session));
  };

  const chosenIn = ({ url }: Visit): Language | undefined =>
    portal.languages.find((language) => language === url.searchParams.get('lang'));
  const languageOf = (session: Session | undefined, { request }: Visit): Language =>
    session?.language ?? preferred(request.headers['accept-language'], portal.languages);

  const show = async (visit: Visit): Promise<Answer> => {
    let session = sessions.find(visit.request);
    const chosen = chosenIn(visit);
    if (chosen) {
      session ??= sessions.open();
      session.language = chosen;
    }
    const message = session?.message;
    delete session?.message;
    const answer = page(portalPage({ portal, language: languageOf(session, visit), person: session?.person, message }));
    return withCookie(answer, session && sessions.cookie(session));
  };

  /** Sends the person to the provider; they come back to the page `to`. */
  const signIn = async ({ request }: Visit, demand: Demand, to = ''): Promise<Answer> => {
    const session = sessions.find(request) ?? sessions.open();
    delete session.message;
    try {
      const { url, attempt } = await relyingParty.begin({ demand, page: to, language: session.language });
      sessions.remember(session, attempt);
      return withCookie(redirect(url), sessions.cookie(session));
    } catch (error) {
      log(`${portal.path}: the provider can't be reached: ${describe(error)}`);
      return goTo('', session, { kind: 'error', key: 'unreachable' });
    }
  };

  const callback = async ({ request, url }: Visit): Promise<Answer> => {
    const session = sessions.find(request) ?? sessions.open();
    const state = url.searchParams.get('state') ?? '';
    const attempt = session.attempts.get(state);
    // Not begun by this visitor, or finished already: nothing in this answer is believed.
    if (!attempt) return goTo('', session, session.person ? undefined : { kind: 'error', key: 'notMatched' });
    session.attempts.delete(state);
    try {
      const { person, reached } = await relyingParty.finish(new URL(`${home}/callback${url.search}`), attempt);
      sessions.renew(session);
      session.person = person;
      if (attempt.page !== '') session.returned = attempt.demand;
      if (!reached) return goTo(attempt.page, session, { kind: 'error', key: 'stepUpUnmet', code: 'acr_not_reached' });
      const isStepUp = attempt.page === '' && attempt.demand.acrValues !== undefined;
      const key = portal.assurance ? 'steppedUpEid' : 'steppedUp';
      return goTo(attempt.page, session, isStepUp ? { kind: 'notice', key } : undefined);
    } catch (error) {
      // Whoever was signed in still is: a failed step-up takes nothing away.
      log(`${portal.path}: not signed in: ${describe(error)}`);
      return goTo(session.person ? attempt.page : '', session, explain(error));
    }
  };

  /** Shows what the API gives; where it asks for more, the person goes and proves it, and comes back here. */
  const documents = async (visit: Visit): Promise<Answer> => {
    const session = sessions.find(visit.request);
    if (!session?.person) return signIn(visit, {}, DOCUMENTS);
    const { person, message, returned } = session;
    session.language = chosenIn(visit) ?? session.language;
    delete session.message;
    delete session.returned;
    const answer = (view: { documents?: readonly Document[]; message?: Message }): Answer =>
      withCookie(
        page(documentsPage({ portal, language: languageOf(session, visit), ...view })),
        sessions.cookie(session),
      );
    // The provider's answer comes first: asking again at once would lead in a circle.
    if (message) return answer({ message });
    try {
      const told = await relyingParty.ask(documentsAddress, person.accessToken);
      if ('body' in told) return answer(told.body as { documents: readonly Document[] });
      if (isSame(told.demand, returned)) return answer({ message: { kind: 'error', key: 'noDocuments' } });
      return signIn(visit, told.demand, DOCUMENTS);
    } catch (error) {
      log(`${portal.path}: no documents: ${describe(error)}`);
      return answer({ message: { kind: 'error', key: 'noDocuments' } });
    }
  };

  const signOut = async ({ request }: Visit): Promise<Answer> => {
    const session = sessions.find(request);
    if (!session?.person) return redirect(home);
    const { idToken } = session.person;
    // Here first: whatever happens at the provider, this portal has forgotten the person.
    delete session.person;
    session.message = { kind: 'notice', key: 'signedOut' };
    return redirect(await relyingParty.signOutAddress(idToken));
  };

  /** Called by the provider itself, without any cookie (OpenID Connect Back-Channel Logout 1.0 §2.5). */
  const backchannelLogout = async ({ request }: Visit): Promise<Answer> => {
    const token = new URLSearchParams(await readBody(request, MAX_BODY_BYTES)).get('logout_token') ?? '';
    try {
      sessions.end(await logoutTokens.verify(token));
      return json({});
    } catch (error) {
      log(`${portal.path}: refused a logout token: ${describe(error)}`);
      return json({ error: 'invalid_request', error_description: 'The logout token was refused.' }, 400);
    }
  };

  const actions: Readonly<Record<string, (visit: Visit) => Promise<Answer>>> = {
    'GET ': show,
    'GET sign-in': (visit) => signIn(visit, {}),
    'GET step-up': (visit) => signIn(visit, { acrValues: assurance }),
    'GET callback': callback,
    'GET documents': documents,
    'GET api/documents': documentsApi,
    // By POST, so that a link elsewhere can't sign a person out; SameSite keeps the cookie from foreign forms.
    'POST sign-out': signOut,
    'POST backchannel-logout': backchannelLogout,
    'GET accent.css': async () => file(`:root { --accent: ${portal.accent}; }\n`, 'text/css'),
  };
  return async (action, visit) => actions[`${visit.method} ${action}`]?.(visit);
}

/** What was asked for and given, and still isn't enough: going to the provider once more would change nothing. */
const isSame = (demand: Demand, given: Demand | undefined): boolean =>
  given !== undefined && demand.acrValues === given.acrValues && demand.maxAge === given.maxAge;

/** The first of the browser's languages that the portal speaks; browsers name them best first. */
function preferred(header = '', spoken: Portal['languages']): Language {
  const wished = header.split(',').map((tag) => tag.trim().slice(0, 2).toLowerCase());
  return wished.map((wish) => spoken.find((language) => language === wish)).find(Boolean) ?? spoken[0];
}

/** The provider's answer in the person's words. */
function explain(error: unknown): Message {
  if (!(error instanceof client.AuthorizationResponseError)) return { kind: 'error', key: 'failed' };
  switch (error.error) {
    case 'access_denied':
      // The person's own decision is no error.
      return { kind: 'notice', key: 'cancelled' };
    case 'unmet_authentication_requirements':
      return { kind: 'error', key: 'stepUpUnmet', code: error.error };
    case 'temporarily_unavailable':
    case 'server_error':
      return { kind: 'error', key: 'unreachable', code: error.error };
    default:
      return { kind: 'error', key: 'failed', code: error.error };
  }
}

/** For the log: the reason below the reason says more ("fetch failed" because …). */
function describe(error: unknown): string {
  if (error instanceof client.AuthorizationResponseError) {
    return `the provider answered ${error.error} (${error.error_description ?? 'without a description'})`;
  }
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
