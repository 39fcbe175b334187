import type { Language } from '../config/schema/values.ts';

/**
 * An external provider as a relying party of it needs it: a preset (`presets/`), with what the operator's file
 * (`config/providers/<id>.yaml`) adds or replaces. Data alone; `relying-party.ts` is what acts on it.
 */
export interface Upstream {
  /** Name of its file; part of the callback's address. */
  readonly id: string;
  /** The preset it was made from. */
  readonly preset: string;
  /** On the button and in sentences: "itsme". Texts by language, or one for all. */
  readonly name: string | Readonly<Partial<Record<Language, string>>>;
  readonly issuer: string;
  /** Found at `issuer` + `/.well-known/openid-configuration` unless it stands here. */
  readonly discoveryUrl?: string | undefined;
  readonly clientId: string;
  readonly authentication: ClientAuthentication;
  /** Always with `openid`. */
  readonly scope: string;
  /** Sent along with every authorization request. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The `claims` parameter (OpenID Connect Core §5.5). */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  readonly responseMode: 'query' | 'form_post';
  /** How the request travels: in the address, as a signed request object (RFC 9101), pushed (RFC 9126). */
  readonly request: 'plain' | 'signed' | 'pushed';
  /** Tokens bound to a key of ours (RFC 9449). */
  readonly dpop: boolean;
  /** Whether it understands `prompt=login` and `max_age` and tells `auth_time`. */
  readonly reauthenticates: boolean;
  readonly idToken: TokenProtection;
  readonly userinfo: UserinfoRule;
  /** Lowest first; what is not named here is worth nothing. Empty: the upstream says nothing of assurance. */
  readonly levels: readonly LevelRule[];
  /** What an upstream that says nothing of assurance is worth; absent: nothing. */
  readonly defaultAcr?: string | undefined;
  /** How a level is asked for. */
  readonly asksLevelBy: LevelRequest;
  /** What is the same person for ever: a path into the claims of ID token and userinfo together. */
  readonly subject: readonly SubjectPart[];
  /** Our claim ← path into theirs. A path is a list of member names: `['address', 'locality']`; URL-named members are one name. */
  readonly mapping: Readonly<Record<string, readonly string[]>>;
  /** Seconds their clock may differ from ours. */
  readonly clockTolerance: number;
  readonly logout: { readonly rpInitiated: boolean; readonly backChannel: boolean };
}

export type ClientAuthentication =
  | {
      readonly method: 'private_key_jwt';
      readonly alg: 'RS256' | 'PS256' | 'ES256' | 'EdDSA';
      /** `aud` of the assertion. */
      readonly audience: 'issuer' | 'token_endpoint';
    }
  | { readonly method: 'client_secret_post' | 'client_secret_basic'; readonly secret: string }
  /** A secret that is a JWT signed with a key Apple gave (ES256, at most six months). */
  | { readonly method: 'apple'; readonly teamId: string; readonly keyId: string; readonly privateKey: string };

export interface TokenProtection {
  /** Algorithms of the signature that are accepted; never `none`. HS256 only where it is the preset's. */
  readonly signedWith: readonly string[];
  /** Must be encrypted to us, with one of these. */
  readonly encryptedWith?: { readonly alg: readonly string[]; readonly enc: readonly string[] } | undefined;
}

export interface UserinfoRule {
  /** Whether it is asked at all. */
  readonly fetched: boolean;
  /** A JWT, with what protection; absent: plain JSON. */
  readonly jwt?: TokenProtection | undefined;
}

export interface LevelRule {
  /** Their `acr`. */
  readonly upstream: string;
  /** Our `acr` (`assurance.levels`). */
  readonly acr: string;
}

export type LevelRequest =
  | { readonly by: 'acr_values' }
  /** As an essential claim of the ID token. @property claim usually `acr`; SwissID: `urn:swissid:qor` in userinfo */
  | { readonly by: 'claims'; readonly claim: string; readonly of: 'id_token' | 'userinfo' }
  /** In a parameter of their own; `{{level}}` is replaced. */
  | { readonly by: 'parameter'; readonly name: string; readonly value: string }
  | { readonly by: 'nothing' };

export interface SubjectPart {
  readonly path: readonly string[];
  /** A national number or the like: kept as a keyed hash, never in clear. */
  readonly confidential: boolean;
}
