import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Portal } from '../support/portal.ts';
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
