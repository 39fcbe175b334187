import { expect } from '@jest/globals';
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { type AuthenticatorOptions, SoftwareAuthenticator } from '../../support/authenticator/index.ts';
import { PasskeyBrowser, type Told } from '../../support/passkeys.ts';
import type { Portal } from '../../support/portal.ts';
import type { Vestibule } from '../../support/vestibule.ts';
import { Visitor } from '../../support/visitor.ts';
import { expectDiscreet, REFERENCE } from './answers.ts';

export const PASSWORD = 'a-demo-password-of-some-length';
export const MFA = 'https://refeds.org/profile/mfa';
export const LIST = '/account/passkeys';

/** Where people sign in. */
export interface Place {
  readonly vestibule: Vestibule;
  readonly portal: Portal;
}

export const crowd = (count: number, name = 'person') =>
  Array.from({ length: count }, (_, n) => ({ username: `${name}-${n}`, password: PASSWORD }));

export const deviceFor = ({ issuer }: Vestibule, over: Partial<AuthenticatorOptions> = {}): SoftwareAuthenticator =>
  new SoftwareAuthenticator({ origin: issuer, ...over });

/** Somebody who named themselves; without a name, in front of the first page. */
export async function asked(
  { vestibule, portal }: Place,
  username?: string,
  device = deviceFor(vestibule),
  parameters: Readonly<Record<string, string>> = {},
): Promise<PasskeyBrowser> {
  const visitor = new Visitor(vestibule);
  const browser = new PasskeyBrowser(visitor, vestibule.issuer, device);
  await visitor.visit(await portal.authorizationUrl(parameters));
  if (username !== undefined) await visitor.submit({ username });
  return browser;
}

/** Somebody who gave their password: in front of the offer, unless they have a passkey. */
export async function passworded(place: Place, username: string, device?: SoftwareAuthenticator) {
  const browser = await asked(place, username, device);
  if (browser.visitor.page.step === 'passkey') await browser.visitor.choose('password');
  await browser.visitor.submit({ password: PASSWORD });
  return browser;
}

/** Signs in and creates the passkey that is offered. */
export async function enrolled(place: Place, username: string, over: Partial<AuthenticatorOptions> = {}) {
  const browser = await passworded(place, username, deviceFor(place.vestibule, over));
  expect(browser.visitor.page.step).toBe('offer-passkey');
  expect((await browser.create()).status).toBe(200);
  expect(browser.visitor.left.searchParams.has('code')).toBe(true);
  return browser;
}

export const idOf = ({ device }: PasskeyBrowser, n = 0): string => device.credentials.at(n)?.id ?? '';

/** How often a step of the journey ended so. */
export async function stepCount({ operationsUrl }: Vestibule, step: string, outcome: string): Promise<number> {
  const text = await (await fetch(`${operationsUrl}/metrics`)).text();
  const labels = `vestibule_login_steps_total{step="${step}",outcome="${outcome}"} `;
  const line = text.split('\n').find((each) => each.startsWith(labels));
  return Number(line?.slice(labels.length) ?? 0);
}

/** Log lines of the request that a problem tells the number of. */
export const referenceOf = (told: Told): string => String(told.body.instance).replace('urn:vestibule:request:', '');

export interface Refusal {
  readonly step: string;
  readonly code: string;
  readonly reason: string;
  readonly event?: string;
}

type Response = AuthenticationResponseJSON | RegistrationResponseJSON;

/** Hands in a bad response and looks at everything a refusal owes. */
export async function expectRefusal(
  vestibule: Vestibule,
  browser: PasskeyBrowser,
  response: Response,
  { step, code, reason, event = 'login.failed' }: Refusal,
): Promise<void> {
  const before = await stepCount(vestibule, step, code);
  const told = await browser.hand(response);
  expect(told).toMatchObject({ status: 400, body: { status: 400, code } });
  expect(told.type).toMatch(/^application\/problem\+json/);
  expect(String(told.body.detail)).toMatch(/^\p{Lu}.{10,}[.!?]$/u);
  expectDiscreet(new Headers(), JSON.stringify(told.body));
  expect(await stepCount(vestibule, step, code)).toBe(before + 1);
  const reference = referenceOf(told);
  expect(reference).toMatch(REFERENCE);
  const line = await vestibule.logged(event, ({ request_id: id }) => id === reference);
  expect(line.reason).toBe(reason);
  expectNoKeyMaterial(vestibule, response);
}

/** Nothing that was signed, signs or is to be signed may stand in the log. */
export function expectNoKeyMaterial(vestibule: Vestibule, { response }: Response): void {
  const clientData = Buffer.from(response.clientDataJSON, 'base64url').toString();
  const { challenge } = JSON.parse(clientData) as { challenge: string };
  const logged = JSON.stringify(vestibule.logs);
  const { transports: _, ...texts } = response as unknown as Record<string, unknown>;
  for (const text of [...Object.values(texts), challenge, clientData]) {
    if (typeof text === 'string' && text.length > 15) expect(logged.includes(text)).toBe(false);
  }
}
