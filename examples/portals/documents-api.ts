import * as client from 'openid-client';
import { type Answer, json, type Visit } from '../shared/http.ts';
import { MULTI_FACTOR, type RelyingParty, satisfies } from './relying-party.ts';

/** What the API holds of a person; titles are for the page to find, in the person's language. */
export interface Document {
  readonly kind: 'statement' | 'certificate' | 'letter';
  readonly date: string;
}

const DOCUMENTS: readonly Document[] = [
  { kind: 'statement', date: '2026-01-31' },
  { kind: 'certificate', date: '2026-03-02' },
  { kind: 'letter', date: '2026-05-18' },
];

/** Clocks of two machines differ. */
const TOLERANCE_SECONDS = 5;

interface Options {
  readonly relyingParty: Pick<RelyingParty, 'provider'>;
  /** Names the API in its challenges. */
  readonly realm: string;
  /** Level of assurance that the sign-in behind a token must have reached. */
  readonly assurance: string;
  /** Seconds a sign-in may be old; any age when absent. */
  readonly maxAge: number | undefined;
}

/**
 * A portal's small API, as a program of its own would be: it knows no session and no cookie, only the
 * access token of each request (RFC 6750), and asks the provider about that (RFC 7662). Whoever
 * signed in with less than it needs, or too long ago, is told what to ask the provider for (RFC 9470 §3).
 */
export function createDocumentsApi({
  relyingParty,
  realm,
  assurance,
  maxAge,
}: Options): (visit: Visit) => Promise<Answer> {
  const refuse = (parameters: Readonly<Record<string, string>>): Answer => {
    const all = Object.entries({ realm, ...parameters }).map(([name, value]) => `${name}="${value}"`);
    const { error = 'unauthorized', error_description = 'An access token is needed.' } = parameters;
    const answer = json({ error, error_description }, 401);
    return { ...answer, headers: { ...answer.headers, 'www-authenticate': `Bearer ${all.join(', ')}` } };
  };

  return async ({ request }) => {
    const token = /^Bearer +([\w.~+/-]+=*) *$/i.exec(request.headers.authorization ?? '')?.[1];
    // Without a token there is nothing to say about one (RFC 6750 §3.1).
    if (token === undefined) return refuse({});

    const told = await client.tokenIntrospection(await relyingParty.provider(), token);
    if (!told.active || told.sub === undefined) {
      return refuse({ error: 'invalid_token', error_description: 'The access token is unknown or has ended.' });
    }
    const isRecent = maxAge === undefined || Number(told.auth_time) + maxAge + TOLERANCE_SECONDS >= Date.now() / 1000;
    if (!satisfies(told.acr, assurance) || !isRecent) {
      return refuse({
        error: 'insufficient_user_authentication',
        error_description: describe(assurance, isRecent),
        acr_values: assurance,
        ...(maxAge === undefined ? {} : { max_age: String(maxAge) }),
      });
    }
    return json({ sub: told.sub, documents: DOCUMENTS });
  };
}

/** For the log of whoever asks: no person reads it. */
function describe(assurance: string, isRecent: boolean): string {
  const proof = assurance === MULTI_FACTOR ? 'two factors' : 'a higher level of assurance';
  if (!isRecent) return `A more recent sign-in with ${proof} is needed.`;
  return assurance === MULTI_FACTOR ? 'Two factors are needed.' : 'A higher level of assurance is needed.';
}
