import { Browser } from '../client/browser.ts';
import { authorization, codeIn, exchange, signIn, type Tokens } from '../client/flows.ts';
import { Connection } from '../client/http.ts';
import { CLIENT, type Person, SECRET } from '../servers/subject.ts';
import type { CountedServer } from './counted-server.ts';
import { type Operation, tally } from './tally.ts';

/** What one flow asked of the storage. */
export interface FlowCount {
  readonly flow: string;
  readonly operations: readonly Operation[];
  /** How often somebody waited: what is asked for at once is waited for once. */
  readonly waits: number;
}

/** Each flow as one visitor does it, alone, one step after the other. @param person who never signed in here */
export async function countFlows({ port }: CountedServer, person: Person): Promise<readonly FlowCount[]> {
  const connection = new Connection(port);
  const counts: FlowCount[] = [];
  const counted = async <Result>(flow: string, run: () => Promise<Result>): Promise<Result> => {
    tally.take();
    const result = await run();
    counts.push({ flow, ...tally.take() });
    return result;
  };

  // Once uncounted: connections, prepared statements and keys are there then.
  await signIn(new Browser(connection), person, CLIENT.web);

  const browser = new Browser(connection);
  let page = await counted('login: request → first page', () => browser.open(authorization(CLIENT.web)));
  page = await counted('login: username', () => browser.submit(page, { username: person.username }));
  page = await counted('login: password → code', () => browser.submit(page, { password: person.password }));
  await counted('login: code → tokens', () => exchange(connection, CLIENT.web, codeIn(page.location, page.body)));

  const code = async (path: string): Promise<string> => {
    const { location, body } = await browser.open(path);
    return codeIn(location, body);
  };
  const allowed = async (): Promise<string> => {
    const { location, body } = await browser.confirm(await browser.open(offline));
    return codeIn(location, body);
  };
  const ordinary = authorization(CLIENT.web);
  const again = await counted('single sign-on: request → code', () => code(ordinary));
  const bound = await counted('single sign-on: code → tokens', () => exchange(connection, CLIENT.web, again));
  await counted('userinfo', () => userinfo(connection, bound));
  // Tokens that outlive the session, as those of the list do; others make the library read the session as well.
  // A portal that is new to this session gets a grant first: the second time is what counts.
  await exchange(connection, CLIENT.refresh, await allowed());
  const kept = await allowed();
  const tokens = await counted('offline: code → tokens', () => exchange(connection, CLIENT.refresh, kept));
  await counted('offline: refresh', () => refreshed(connection, tokens));
  await counted('offline: userinfo', () => userinfo(connection, tokens));
  connection.close();
  return counts;
}

const offline = authorization(CLIENT.refresh).replace('scope=openid', 'scope=openid+offline_access&prompt=consent');

async function refreshed(connection: Connection, { refreshToken = '' }: Tokens): Promise<void> {
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken });
  const authorizationHeader = `Basic ${Buffer.from(`${CLIENT.refresh}:${SECRET}`).toString('base64')}`;
  const headers = { accept: 'application/json', authorization: authorizationHeader };
  const { status, body } = await connection.send('POST', '/token', headers, form.toString());
  if (status !== 200) throw new Error(`refresh: ${status} ${body}`);
}

async function userinfo(connection: Connection, { accessToken }: Tokens): Promise<void> {
  const { status, body } = await connection.send('GET', '/me', { authorization: `Bearer ${accessToken}` });
  if (status !== 200) throw new Error(`userinfo: ${status} ${body}`);
}
