import type { ProviderFile } from '../../config/schema/provider.ts';
import type {
  ClientAuthentication,
  LevelRequest,
  LevelRule,
  SubjectPart,
  TokenProtection,
  Upstream,
} from '../upstream.ts';

/** Methods a file may name; Apple's way is its preset's alone. */
export type Method = Exclude<ClientAuthentication['method'], 'apple'>;
export type Assertion = Omit<Extract<ClientAuthentication, { method: 'private_key_jwt' }>, 'method'>;
export type Setting = keyof ProviderFile;

/** What is known of an upstream, wherever the file says nothing else. */
export interface Facts {
  /** Absent: the file has to say. */
  readonly issuer?: string | undefined;
  /**
   * How it lets clients prove themselves. A file with a `client_secret` gets the first of those with one, any other
   * file `private_key_jwt` where it is among them.
   */
  readonly methods: readonly Method[];
  /** Nothing else is accepted there; else `methods` is only what is known of. */
  readonly methodsAreAll?: boolean;
  readonly assertion: Assertion;
  readonly scope: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly claims?: Upstream['claims'];
  readonly responseMode: Upstream['responseMode'];
  readonly request: Upstream['request'];
  readonly dpop: boolean;
  readonly reauthenticates: boolean;
  readonly idToken: TokenProtection;
  readonly userinfo: Upstream['userinfo'];
  readonly levels: readonly LevelRule[];
  readonly asksLevelBy: LevelRequest;
  /** It refuses requests without `acr_values`: the lowest level is asked for when nothing is demanded. */
  readonly alwaysAsksLevel?: boolean;
  readonly subject: readonly SubjectPart[];
  /** What `national_number: true` adds: the claim, and how it is obtained. */
  readonly nationalNumber?: NationalNumber | undefined;
  readonly mapping: Upstream['mapping'];
  readonly logout: Upstream['logout'];
}

export interface NationalNumber {
  readonly path: readonly string[];
  readonly scope?: string;
  readonly claims?: Upstream['claims'];
}

/**
 * Whether an `email_verified: true` of theirs says that the mailbox is this person's: of any address, of those for
 * which the provider is the authority (`email-authority.ts`), or of none.
 */
export type EmailAuthority = 'verified' | 'hosted' | 'never';

/** One provider, or kind of providers: one file in this folder. */
export interface Preset {
  /** As people know it; a preset without a name demands one. */
  readonly name?: string;
  /** It has systems for production and for tests, and knows the issuers of both (or demands them). */
  readonly hasSandbox: boolean;
  /** Settings that belong to this preset and mean nothing in another's file. */
  readonly own?: readonly Setting[];
  /** Their names of levels, lowest first, as far as they are known. */
  readonly levelNames?: readonly string[];
  readonly emailAuthority: EmailAuthority;
  facts(file: ProviderFile): Facts;
  /**
   * What the operator has to say, as only the operator can know it or as nobody could confirm it.
   * @returns setting → a sentence why, behind the name of the setting
   */
  demands?(file: ProviderFile): Partial<Record<Setting, string>>;
  /** Further faults of a file that the schema can't know of: setting → what is wrong. */
  faults?(file: ProviderFile, upstream: Upstream): Partial<Record<Setting, string>>;
}

/** What is wrong with one place of a provider's file. @property path of the file's own settings */
export interface PresetProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Claims of OpenID Connect Core §5.1 that are worth knowing about a person, under their own names. */
const STANDARD_CLAIMS = [
  'name',
  'given_name',
  'family_name',
  'preferred_username',
  'birthdate',
  'gender',
  'locale',
  'address',
  'email',
  'email_verified',
  'phone_number',
  'phone_number_verified',
];

export const STANDARD_MAPPING: Facts['mapping'] = Object.fromEntries(STANDARD_CLAIMS.map((name) => [name, [name]]));

/** The person by `sub`: stable and never given to anybody else (OpenID Connect Core §8). */
export const SUB: readonly SubjectPart[] = [{ path: ['sub'], confidential: false }];

/** What OpenID Connect itself says of a provider nobody said anything about. */
export const OPENID: Omit<Facts, 'issuer'> = {
  methods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  // Core §9 names the token endpoint; FAPI 2.0 and newer servers want the issuer.
  assertion: { alg: 'RS256', audience: 'token_endpoint' },
  scope: 'openid profile email',
  parameters: {},
  responseMode: 'query',
  request: 'plain',
  dpop: false,
  reauthenticates: false,
  idToken: { signedWith: ['RS256'] },
  userinfo: { fetched: true },
  levels: [],
  asksLevelBy: { by: 'acr_values' },
  subject: SUB,
  mapping: STANDARD_MAPPING,
  logout: { rpInitiated: false, backChannel: false },
};

/** The issuer of the system a file means. */
export const issuerOf = (
  { environment = 'production' }: ProviderFile,
  issuers: Readonly<Record<NonNullable<ProviderFile['environment']>, string | undefined>>,
): string | undefined => issuers[environment];

/** The method a file means: what it names, or what its credentials are good for. */
export function methodOf(file: ProviderFile, methods: readonly Method[]): Method | undefined {
  if (file.token_endpoint_auth_method) return file.token_endpoint_auth_method;
  const hasSecret = file.client_secret !== undefined;
  const fits = methods.find((method) => (method !== 'private_key_jwt') === hasSecret);
  return fits ?? methods[0];
}

/** For schemes whose levels are known by name while nobody but the operator can say what they count for. */
export const levelsAreYours = (names: readonly string[]): string =>
  `is missing: what the levels of this provider are worth here is yours to decide. List those that count, lowest first, as {upstream: …, acr: …}, or write [] when none does. Known by name, lowest first: ${names.join(', ')}`;
