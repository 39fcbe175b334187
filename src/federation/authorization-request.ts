import { levelClaim, levelsToAsk } from './levels.ts';
import type { LevelRule, Upstream } from './upstream.ts';

/** What an upstream is asked for besides who somebody is. */
export interface Wanted {
  /** Levels of assurance by our names, any of which will do. */
  readonly acr?: readonly string[] | undefined;
  /** Seconds since the person last proved who they are there, at most. */
  readonly maxAge?: number | undefined;
  /** They prove it now. */
  readonly login?: boolean | undefined;
  /** BCP 47, for its pages. */
  readonly language?: string | undefined;
}

/** What makes one request different from every other. */
export interface RequestValues {
  readonly callback: string;
  readonly state: string;
  readonly nonce: string;
  readonly codeChallenge: string;
  /** JWK thumbprint of the key the code is bound to (RFC 9449 §10). */
  readonly dpopThumbprint?: string | undefined;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * The parameters of an authorization request (OpenID Connect Core §3.1.2.1), always with PKCE. What the operator's file
 * adds comes first: nothing in it takes the place of what is checked on return.
 *
 * @throws UpstreamError `level` when the upstream can't reach what is wanted
 */
export function requestParameters(upstream: Upstream, wanted: Wanted, values: RequestValues): Record<string, string> {
  const levels = levelsToAsk(upstream, wanted.acr);
  const claims = claimsParameter(upstream, levels);
  return {
    ...upstream.parameters,
    ...levelParameter(upstream, levels),
    ...(claims ? { claims: JSON.stringify(claims) } : {}),
    ...freshness(upstream, wanted),
    ...(wanted.language ? { ui_locales: wanted.language } : {}),
    response_type: 'code',
    client_id: upstream.clientId,
    redirect_uri: values.callback,
    scope: upstream.scope,
    ...(upstream.responseMode === 'form_post' ? { response_mode: 'form_post' } : {}),
    state: values.state,
    nonce: values.nonce,
    code_challenge: values.codeChallenge,
    code_challenge_method: 'S256',
    ...(values.dpopThumbprint ? { dpop_jkt: values.dpopThumbprint } : {}),
  };
}

function levelParameter(upstream: Upstream, levels: readonly LevelRule[]): Record<string, string> {
  const { asksLevelBy, parameters } = upstream;
  const [first] = levels;
  if (!first) return {};
  if (asksLevelBy.by === 'parameter') {
    return { [asksLevelBy.name]: asksLevelBy.value.replaceAll('{{level}}', () => first.upstream) };
  }
  if (asksLevelBy.by !== 'acr_values') return {};
  // Names that are no levels are asked for besides them (Login.gov: how somebody signs in).
  const others = (parameters.acr_values ?? '')
    .split(' ')
    .filter((name) => name !== '' && !upstream.levels.some((level) => level.upstream === name));
  return { acr_values: [...levels.map((level) => level.upstream), ...others].join(' ') };
}

/** Core §5.5. Where the level is a claim it is asked for even if none is demanded: else it would not be told. */
function claimsParameter({ claims, asksLevelBy, levels }: Upstream, asked: readonly LevelRule[]): Json | undefined {
  if (asksLevelBy.by !== 'claims' || levels.length === 0) return claims;
  const member = (claims?.[asksLevelBy.of] ?? {}) as Json;
  const [first, ...more] = asked.map((level) => level.upstream);
  const demand =
    first === undefined
      ? null
      : { essential: true, ...(more.length > 0 ? { values: [first, ...more] } : { value: first }) };
  return { ...claims, [asksLevelBy.of]: { ...member, [levelClaim({ asksLevelBy, levels })]: demand } };
}

function freshness({ reauthenticates, parameters }: Upstream, { login, maxAge }: Wanted): Record<string, string> {
  if (!reauthenticates) return {};
  const others = (parameters.prompt ?? '').split(' ').filter((value) => value !== '' && value !== 'login');
  return {
    ...(login ? { prompt: ['login', ...others].join(' ') } : {}),
    ...(maxAge === undefined ? {} : { max_age: String(maxAge) }),
  };
}
