import { generateKeyPair, type KeyObject } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { AuditEvent } from '../../src/storage/ports.ts';
import type { Page } from '../support/page.ts';
import type { Portal } from '../support/portal.ts';
import { withDurable } from '../support/storage/index.ts';
import type { Person, Vestibule } from '../support/vestibule.ts';
import type { Visitor } from '../support/visitor.ts';

/** Has delivered every claim that an account can have. */
export const alice = {
  username: 'alice',
  email: 'alice@example.org',
  emailVerified: true,
  password: 'alice-demo-password',
  profile: {
    name: 'Alice Martin',
    given_name: 'Alice',
    family_name: 'Martin',
    middle_name: 'Zoé',
    nickname: 'Ali',
    profile: 'https://people.example/alice',
    picture: 'https://people.example/alice.png',
    website: 'https://alice.example/',
    gender: 'female',
    birthdate: '1990-02-28',
    zoneinfo: 'Europe/Zurich',
    locale: 'fr-CH',
    phone_number: '+41790000001',
    phone_number_verified: true,
    address: { formatted: 'Rue du Lac 1\n1000 Lausanne', locality: 'Lausanne', country: 'CH' },
  },
} satisfies Person;

/** Has a name and a password, nothing else. */
export const bruno = { username: 'bruno', password: 'bruno-demo-password' } satisfies Person;

/** Username, then password, on the pages that are already shown. @returns where the person was sent */
export async function giveUsernameAndPassword(visitor: Visitor, person: Person = alice): Promise<URL> {
  await visitor.submit({ username: person.username });
  await visitor.submit({ password: person.password });
  return visitor.left;
}

/** The whole way from the portal to its callback. */
export async function signIn(
  visitor: Visitor,
  portal: Portal,
  parameters: Readonly<Record<string, string>> = {},
  person: Person = alice,
): Promise<URL> {
  await visitor.visit(await portal.authorizationUrl(parameters));
  return giveUsernameAndPassword(visitor, person);
}

/** Signs in again in a browser that has a session: no page, or the test fails. */
export async function signInSilently(
  visitor: Visitor,
  portal: Portal,
  parameters: Readonly<Record<string, string>> = {},
): Promise<URL> {
  await visitor.visit(await portal.authorizationUrl(parameters));
  return visitor.left;
}

/** What a portal is told, in the query or, where tokens were asked for, in the fragment. */
export const answerAt = (callback: URL): URLSearchParams =>
  callback.hash === '' ? callback.searchParams : new URLSearchParams(callback.hash.slice(1));

/** The OAuth error that a portal is told. */
export const errorAt = (callback: URL): string | null => answerAt(callback).get('error');

/** A request to the server as a program sends it; redirects are not followed. */
export function call(
  vestibule: Vestibule,
  path: string,
  options: {
    readonly method?: string;
    readonly form?: Readonly<Record<string, string>> | URLSearchParams;
    readonly json?: unknown;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<Response> {
  const { form, json, headers = {} } = options;
  const body = form ? new URLSearchParams(form) : json === undefined ? null : JSON.stringify(json);
  return fetch(new URL(path, `http://localhost:${vestibule.port}`), {
    method: options.method ?? (body === null ? 'GET' : 'POST'),
    redirect: 'manual',
    headers: { ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body,
  });
}

/** `client_secret_basic` as a header. */
export const basic = (clientId: string, secret = `${clientId}-secret-for-tests`): Readonly<Record<string, string>> => ({
  authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`,
});

export const bearer = (token: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });

/** A JSON object that was answered. */
export const jsonOf = async (response: Response): Promise<Record<string, unknown>> =>
  (await response.json()) as Record<string, unknown>;

type Algorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA' | 'Ed25519';

export interface ClientKey {
  readonly privateKey: KeyObject;
  /** For `jwks` of a client file. */
  readonly publicJwk: Record<string, unknown>;
}

const generate = promisify(generateKeyPair);

/** A key pair of a portal. */
export async function clientKey(alg: Algorithm, kid = `key-${alg}`): Promise<ClientKey> {
  const { publicKey, privateKey } =
    alg === 'ES256'
      ? await generate('ec', { namedCurve: 'P-256' })
      : alg === 'EdDSA' || alg === 'Ed25519'
        ? await generate('ed25519')
        : await generate('rsa', { modulusLength: 2048 });
  return { privateKey, publicJwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } };
}

const WITHIN_MS = 10_000;
const POLL_EVERY_MS = 25;

/** Looks again and again until something is so. @param complaint what is said when it never is */
export async function until(isSo: () => boolean | Promise<boolean>, complaint: () => string): Promise<void> {
  for (const deadline = performance.now() + WITHIN_MS; !(await isSo()); await wait(POLL_EVERY_MS))
    if (performance.now() > deadline) throw new Error(complaint());
}

/** Wrong passwords on the pages that are shown, until signing in with one is paused. */
export async function lockOut(visitor: Visitor, username: string, tries = 5): Promise<void> {
  await visitor.submit({ username });
  for (let wrong = 0; wrong < tries; wrong += 1) await visitor.submit({ password: `wrong-password-number-${wrong}` });
  if (visitor.page.step !== 'locked') throw new Error(`not locked: ${visitor.page.describe()}`);
}

/** A new password, twice, on the page that is shown. */
export const chooseNewPassword = (visitor: Visitor, password: string): Promise<Page> =>
  visitor.submit({ new_password: password, new_password_again: password });

/** What the audit trail holds of one event, oldest first. */
export const auditOf = (vestibule: Vestibule, event: string): Promise<readonly AuditEvent[]> =>
  withDurable(vestibule, async ({ audit }) =>
    (await audit.list({ limit: 10_000 })).filter((line) => line.event === event).reverse(),
  );

/** Ids of the mails that wait to be sent. */
export const owedMails = (vestibule: Vestibule): Promise<readonly string[]> =>
  withDurable(vestibule, async ({ transfer }) =>
    (await transfer.read('outbox', undefined, 1000)).filter(({ value }) => !value.dead).map(({ key }) => key),
  );

/** Somebody who never had one: no page and no command makes such people yet. */
export const removePassword = (vestibule: Vestibule, { username }: Pick<Person, 'username'>): Promise<void> =>
  withDurable(vestibule, async ({ accounts, credentials }) => {
    const account = (await accounts.findByIdentifier(username))?.id ?? '';
    for (const { id } of await credentials.list(account, 'password')) await credentials.remove(account, 'password', id);
  });
