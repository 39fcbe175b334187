import { expect } from '@jest/globals';
import type { Page } from '../../support/page.ts';
import type { PasskeyBrowser } from '../../support/passkeys.ts';
import type { Vestibule } from '../../support/vestibule.ts';
import { deviceFor, LIST } from './passkeys.ts';
import { accountOf, withDurable } from './storage.ts';

export const passkeysOf = async (vestibule: Vestibule, username: string) => {
  const account = await accountOf(vestibule, { username });
  const stored = await withDurable(vestibule, ({ credentials }) => credentials.list(account, 'passkey'));
  return stored.map(({ id, data }) => ({ id, name: String((JSON.parse(data) as { name: string }).name) }));
};
export const csrfOn = ({ forms }: Page): string =>
  forms.flatMap(({ fields }) => fields).find(({ name }) => name === '_csrf')?.value ?? '';
/** What a page's script gets from an address. */
const sent = async (browser: PasskeyBrowser, path: string, fields: Readonly<Record<string, string>> = {}) => {
  const told = await browser.send(path, fields);
  return { ...told, signIn: String(told.body.location ?? '').startsWith('/auth?') };
};
/** The session's form token, from a page that any session may see. */
export async function tokenOf(browser: PasskeyBrowser, id: string): Promise<string> {
  await browser.visitor.visit(`${LIST}/${id}`);
  expect(browser.visitor.page.step).toBe('account-passkey-name');
  return csrfOn(browser.visitor.page);
}

/** Every route that changes how somebody signs in. */
export async function expectNothingChanges(
  vestibule: Vestibule,
  browser: PasskeyBrowser,
  username: string,
): Promise<void> {
  const before = await passkeysOf(vestibule, username);
  const id = before[0]?.id ?? '';
  const _csrf = await tokenOf(browser, id);
  const { visitor } = browser;
  for (const path of [`${LIST}/add`, `${LIST}/${id}/delete`]) {
    const page = await visitor.request('GET', new URL(path, vestibule.issuer), undefined);
    expect([path, page.status, page.location?.pathname]).toEqual([path, 303, '/auth']);
    const form = new URLSearchParams({ _csrf }).toString();
    const posted = await visitor.request('POST', new URL(path, vestibule.issuer), form, { origin: vestibule.issuer });
    expect([path, posted.status, posted.location?.pathname]).toEqual([path, 303, '/auth']);
  }
  const registration = await deviceFor(vestibule).create({
    rp: { id: 'localhost', name: 'x' },
    user: { id: Buffer.alloc(64, 1).toString('base64url'), name: username, displayName: username },
    challenge: Buffer.alloc(32).toString('base64url'),
    pubKeyCredParams: [{ type: 'public-key', alg: -8 }],
  });
  expect(await sent(browser, `${LIST}/add/options`, { _csrf })).toMatchObject({ status: 200, signIn: true });
  const added = await sent(browser, `${LIST}/add`, { _csrf, credential: JSON.stringify(registration) });
  expect(added).toMatchObject({ status: 200, signIn: true });
  expect(await sent(browser, `${LIST}/${id}/delete`, { _csrf })).toMatchObject({ status: 200, signIn: true });
  expect(await passkeysOf(vestibule, username)).toEqual(before);
}
