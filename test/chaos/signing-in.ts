import type { Page } from '../support/page.ts';
import type { Portal } from '../support/portal.ts';
import type { Account } from './account.ts';
import { type Browser, Unavailable } from './browser.ts';
import { browserOf, type Scene } from './scene.ts';

/** Where a sign-in stands: at its end, or at a page that wants something. */
export type Stand = 'arrived' | 'refused' | 'locked' | 'code' | 'consent' | 'passkey';

const STANDS: Readonly<Record<string, Stand>> = {
  password: 'refused',
  locked: 'locked',
  totp: 'code',
  consent: 'consent',
  passkey: 'passkey',
};

/** OAuth errors that say "not now". */
const NOT_NOW = ['temporarily_unavailable'];

export function standOf(page: Page): Stand {
  if (page.location) {
    const error = page.location.searchParams.get('error');
    if (error === null) return 'arrived';
    if (NOT_NOW.includes(error)) throw new Unavailable(`the portal was told ${error}`);
    throw new Error(`the portal was told ${page.location.search}`);
  }
  if (page.url.pathname.startsWith('/account')) return 'arrived';
  const stand = STANDS[page.step ?? ''];
  if (!stand) throw new Error(`a page nobody expected: ${page.describe()}`);
  return stand;
}

/** Username and password on the pages that are shown, as far as they are asked for. */
export async function identify(browser: Browser, username: string, password: string): Promise<Stand> {
  if (browser.page.step === 'identify') await browser.submit({ username });
  if (browser.page.step === 'password') await browser.submit({ password });
  return standOf(browser.page);
}

/** From a portal, in a new browser, with that password. */
export async function tryPassword(scene: Scene, account: Account, password: string): Promise<Stand> {
  const browser = browserOf(scene);
  await browser.visit(await scene.portal.authorizationUrl());
  return identify(browser, account.username, password);
}

/**
 * What the owner knows opens, whatever is uncertain about it, and nothing less does.
 * @throws when it does not, or when the second factor is not asked for
 */
export async function identifyAs(browser: Browser, account: Account): Promise<Stand> {
  let stand = await identify(browser, account.username, account.password);
  if (stand === 'refused' && account.proposed !== undefined) {
    await browser.submit({ password: account.proposed });
    stand = standOf(browser.page);
  }
  if (stand === 'refused' || stand === 'locked')
    throw new Error(`${account.username} is ${stand} with the acknowledged password`);
  if (stand !== 'code' && account.app?.certain)
    throw new Error(`${account.username} was let in without the second factor that was set up`);
  if (stand === 'code' && !account.app)
    throw new Error(`${account.username} is asked for a code without having an app`);
  return stand;
}

export async function signInAs(
  browser: Browser,
  portal: Portal,
  account: Account,
  parameters: Readonly<Record<string, string>> = {},
): Promise<Stand> {
  await browser.visit(await portal.authorizationUrl(parameters));
  return identifyAs(browser, account);
}

export type Granted<Tokens> = { readonly tokens: Tokens } | { readonly refused: string };

/**
 * What the token endpoint said.
 * @throws Unavailable when it said neither yes nor no
 */
export async function granted<Tokens>(asked: Promise<Tokens>): Promise<Granted<Tokens>> {
  try {
    return { tokens: await asked };
  } catch (cause) {
    const { status, error } = cause as { status?: number; error?: string };
    if (error !== undefined && status !== undefined && status < 500) return { refused: error };
    throw new Unavailable('the token endpoint gave no answer', { cause });
  }
}

/** The same of several at once. @returns those that were granted, and whether any stayed without an answer */
export async function grantedOf<Tokens>(
  asked: readonly Promise<Tokens>[],
): Promise<{ readonly tokens: readonly Tokens[]; readonly isUncertain: boolean }> {
  const answers = await Promise.allSettled(asked.map((each) => granted(each)));
  const tokens = answers.flatMap((answer) =>
    answer.status === 'fulfilled' && 'tokens' in answer.value ? [answer.value.tokens] : [],
  );
  return { tokens, isUncertain: answers.some(({ status }) => status === 'rejected') };
}
