import { createHash, randomBytes } from 'node:crypto';
import { CLIENT, type Person, REDIRECT_URI, SECRET } from '../servers/subject.ts';
import { Browser } from './browser.ts';
import { type Connection, discovery } from './http.ts';

/** Fixed, so that the load generator hashes nothing; the servers can't know. */
const VERIFIER = randomBytes(32).toString('base64url');
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');
const MOST_PAGES = 4;

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
}

/** One run of a flow, from the first request to the last answer. */
export type Flow = () => Promise<void>;
/** Prepares what a concurrent client has before it begins (a session, a token). */
export type FlowKind = (connection: Connection, person: Person) => Promise<Flow>;

export type FlowId = 'sso' | 'login' | 'refresh' | 'client-credentials' | 'discovery';

export const FLOWS: Readonly<Record<FlowId, FlowKind>> = {
  async sso(connection, person) {
    const browser = new Browser(connection);
    await signIn(browser, person, CLIENT.web);
    return async () => {
      const { location, body } = await browser.open(authorization(CLIENT.web));
      await exchange(connection, CLIENT.web, codeIn(location, body));
    };
  },

  async login(connection, person) {
    // Each time a browser that was never here.
    return async () => {
      await signIn(new Browser(connection), person, CLIENT.web);
    };
  },

  async refresh(connection, person) {
    const tokens = await signIn(new Browser(connection), person, CLIENT.refresh);
    let token = tokens.refreshToken ?? '';
    return async () => {
      const fresh = await askToken(connection, CLIENT.refresh, { grant_type: 'refresh_token', refresh_token: token });
      token = fresh.refreshToken ?? token;
    };
  },

  async 'client-credentials'(connection) {
    return async () => {
      await askToken(connection, CLIENT.machine, { grant_type: 'client_credentials' });
    };
  },

  async discovery(connection) {
    return async () => {
      const { status } = await discovery(connection);
      if (status !== 200) throw new Error(`discovery answered ${status}`);
    };
  },
};

/** From the first page to tokens, whatever pages the server puts in between. */
export async function signIn(browser: Browser, person: Person, clientId: string): Promise<Tokens> {
  const fields = { username: person.username, password: person.password };
  let page = await browser.open(authorization(clientId));
  for (let pages = 0; page.location === undefined; pages++) {
    if (pages === MOST_PAGES) throw new Error(`the sign-in does not end:\n${page.body.slice(0, 2000)}`);
    page = await browser.submit(page, fields);
  }
  return exchange(browser.connection, clientId, codeIn(page.location, page.body));
}

export function authorization(clientId: string): string {
  const query = new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: 'openid',
    state: randomBytes(16).toString('base64url'),
    nonce: randomBytes(16).toString('base64url'),
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
  });
  return `/auth?${query}`;
}

export function codeIn(location: string | undefined, page: string): string {
  const code = location && new URL(location).searchParams.get('code');
  if (!code) throw new Error(`no code: ${location ?? page.slice(0, 2000)}`);
  return code;
}

export const exchange = (connection: Connection, clientId: string, code: string): Promise<Tokens> =>
  askToken(connection, clientId, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier: VERIFIER,
  });

async function askToken(connection: Connection, clientId: string, form: Record<string, string>): Promise<Tokens> {
  const authorizationHeader = `Basic ${Buffer.from(`${clientId}:${SECRET}`).toString('base64')}`;
  const headers = { accept: 'application/json', authorization: authorizationHeader };
  const { status, body } = await connection.send('POST', '/token', headers, new URLSearchParams(form).toString());
  if (status !== 200) throw new Error(`the token endpoint answered ${status}: ${body.slice(0, 500)}`);
  const answer = JSON.parse(body) as { access_token?: string; refresh_token?: string };
  if (!answer.access_token) throw new Error(`no access token: ${body.slice(0, 500)}`);
  return { accessToken: answer.access_token, refreshToken: answer.refresh_token };
}
