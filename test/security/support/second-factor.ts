import type { Page } from '../../support/page.ts';
import type { PasskeyBrowser } from '../../support/passkeys.ts';
import type { Portal } from '../../support/portal.ts';
import { codeOf, nextCode, passPassword } from '../../support/second-factor.ts';
import type { Person } from '../../support/seed.ts';
import type { Vestibule } from '../../support/vestibule.ts';
import { Visitor } from '../../support/visitor.ts';
import { csrfOn } from './account-area.ts';
import { accountOf, withDurable } from './storage.ts';

export const HOME = '/account/two-factor';
export const APP = `${HOME}/app`;
export const CODES = `${HOME}/codes`;
export const RENEW = `${CODES}/renew`;
export const OFF = `${HOME}/off`;

export type Parameters = Readonly<Record<string, string>>;

/** Somebody who gave their name and password at a portal: in front of what comes next. */
export async function passworded(
  server: ConstructorParameters<typeof Visitor>[0],
  portal: Portal,
  person: Person,
  parameters: Parameters = {},
  visitor = new Visitor(server),
): Promise<Visitor> {
  await visitor.visit(await portal.authorizationUrl(parameters));
  await passPassword(visitor, person);
  return visitor;
}

/** Signed in with password and app. */
export async function coded(
  vestibule: Vestibule,
  portal: Portal,
  person: Person,
  parameters: Parameters = {},
  by = new Visitor(vestibule),
): Promise<Visitor> {
  const visitor = await passworded(vestibule, portal, person, parameters, by);
  await visitor.submit({ code: await codeOf(vestibule, person.totp?.secret) });
  await nextCode(vestibule);
  return visitor;
}

export const interactionOf = ({ page }: Visitor): string => page.url.pathname.split('/').slice(0, 3).join('/');

/** Sends a form to an address as a page of the server would, with the token of the page on show; follows nothing. */
export const sendForm = (visitor: Visitor, path: string, fields: Parameters, from = visitor.page): Promise<Page> =>
  visitor.request(
    'POST',
    new URL(path, visitor.page.url),
    new URLSearchParams({ _csrf: csrfOn(from), ...fields }).toString(),
    { origin: from.url.origin },
  );

/** What is kept of somebody's factors: anything that changes them changes this. */
export async function factorsOf(vestibule: Vestibule, { username }: Person) {
  const account = await accountOf(vestibule, { username });
  return withDurable(vestibule, async ({ credentials }) => {
    const [apps, lists, passkeys] = await Promise.all(
      ['totp', 'recovery-codes', 'passkey'].map((kind) => credentials.list(account, kind)),
    );
    return {
      seeds: (apps ?? []).map(({ data }) => (JSON.parse(data) as { seed: string }).seed),
      codes: (lists ?? []).map(({ data }) => data),
      passkeys: (passkeys ?? []).map(({ id }) => id),
    };
  });
}

export const isSignedInAt = async (visitor: Visitor, portal: Portal): Promise<boolean> => {
  await visitor.visit(await portal.authorizationUrl({ prompt: 'none' }));
  return visitor.left.searchParams.has('code');
};

export const claimsAt = async (visitor: Visitor, portal: Portal) => (await portal.exchange(visitor.left)).claims();

/** A passkey for somebody with an app: from the account area, after both. */
export async function addPasskey(browser: PasskeyBrowser): Promise<void> {
  await browser.visitor.visit('/account/passkeys/add');
  const { status, body } = await browser.create();
  if (status !== 200) throw new Error(`no passkey was added: ${JSON.stringify(body)}`);
}
