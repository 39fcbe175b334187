import type { Context } from 'koa';
import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { Acr, LevelDemand } from '../journey/index.ts';
import { minimumOf } from './claims.ts';
import type { ClientRegistry } from './clients.ts';
import type { Assurance } from './dependencies.ts';
import { type Asked, askedIn } from './grants.ts';
import type { Releases } from './releases.ts';

const { Check, base } = interactionPolicy;

/** Claims that tell of the sign-in, not of the person: nobody is asked about them. */
const ABOUT_THE_SIGN_IN = new Set(['sub', 'sid', 'auth_time', 'acr', 'amr', 'iss']);

/** Reasons to ask for a sign-in though somebody is signed in: somebody else is wanted. */
export const ANOTHER_PERSON: readonly string[] = ['id_token_hint', 'claims_id_token_sub_value'];

/** Where an interaction remembers the levels of assurance its request demands. */
export const DEMANDED = 'vestibule_levels';
/** When the session was begun, seconds since the epoch. */
export const AUTH_TIME = 'vestibule_auth_time';

/**
 * When a portal's request needs a person, and for what. The library's own policy, with its exact
 * comparison of `acr` replaced by ranks, and what it leaves out added.
 * @param assurance the ladder of levels, and what accounts demand of their own
 * @param releases what the clients are told that external providers say
 */
export function createPolicy(
  clients: ClientRegistry,
  assurance: Assurance,
  releases: Releases,
): interactionPolicy.DefaultPolicy {
  const { ladder, attainable } = assurance;
  const policy = base();
  const login = policy.get('login');
  const consent = policy.get('consent');
  if (!login || !consent) throw new Error('the protocol library lost its base policy');

  // Both compare names; a higher level than the one demanded would be asked for again for ever.
  login.checks.remove('essential_acrs');
  login.checks.remove('essential_acr');

  login.checks.add(
    // A session whose account was suspended or deleted meanwhile: sign in again, not a server error.
    new Check(
      'account_missing',
      'the account of this session is no longer available',
      'login_required',
      (ctx) => ctx.oidc.session?.accountId !== undefined && ctx.oidc.account === undefined,
    ),
  );
  login.checks.add(
    new Check(
      'acr_unmet',
      'the authentication demanded was not performed',
      // Said where nobody may be asked (`prompt=none`); what can't be reached at all is told apart below.
      'login_required',
      async (ctx) => {
        const demanded = demandsOf(ctx, clients);
        // Said at once, before anybody types a password for nothing (RFC 9470 §5).
        if (!demanded.every(({ acr }) => attainable.some((level) => ladder.meets(level, acr)))) {
          throw new errors.UnmetAuthenticationRequirements('the requested authentication can not be performed here');
        }
        const { session, result } = ctx.oidc;
        if (session?.accountId === undefined) return false;
        const isMet = (await meetsDemands(ctx, demanded, clients, assurance)) && (await meetsOwn(ctx, assurance));
        // The journey ends below what is demanded only by a mistake of ours: never asked again for ever.
        if (!isMet && result?.login) throw new errors.UnmetAuthenticationRequirements();
        return !isMet;
      },
    ),
  );
  // Whatever made a sign-in necessary, it has to reach what is demanded; and a step-up begins where the session stands.
  const details = login.details;
  login.details = async (ctx) => ({
    ...(await details(ctx)),
    [DEMANDED]: demandsOf(ctx, clients),
    [AUTH_TIME]: ctx.oidc.session?.loginTs,
  });

  // A portal that names a person gets that person or an error (OpenID Connect Core §3.1.2.2, §5.5.1);
  // the library would ask whoever signed in instead for ever.
  for (const reason of ANOTHER_PERSON) {
    const named = login.checks.get(reason);
    if (!named) throw new Error('the protocol library lost its base policy');
    login.checks.remove(reason);
    login.checks.add(
      new Check(
        reason,
        named.description,
        'login_required',
        async (ctx) => {
          await readHint(ctx);
          const mismatch = (await named.check(ctx)) === true;
          if (mismatch && ctx.oidc.result?.login) throw new errors.LoginRequired('another person signed in');
          return mismatch;
        },
        named.details,
      ),
    );
  }

  // The library takes what an external provider says for something that any client may be granted.
  for (const [reason, details] of MISSING) {
    const missing = consent.checks.get(reason);
    if (!missing) throw new Error('the protocol library lost its base policy');
    const detailsOf = (ctx: KoaContextWithOIDC) => details(ctx, askedIn(ctx, releases));
    const check = (ctx: KoaContextWithOIDC) => Object.values(detailsOf(ctx)).some((names) => names.length > 0);
    consent.checks.remove(reason);
    consent.checks.add(new Check(reason, missing.description, 'consent_required', check, detailsOf));
  }

  // A page that is shown for its own sake says everything that is asked for, not only what is new.
  const requested = consent.checks.get('consent_prompt');
  // RFC 8252 §8.6: a native app can be impersonated unless its redirect is a claimed https
  // address; only then may the operator's own app go without asking.
  const native = consent.checks.get('native_client_prompt');
  const everything = (ctx: KoaContextWithOIDC) => everythingAsked(askedIn(ctx, releases));
  if (!requested || !native) throw new Error('the protocol library lost its base policy');
  consent.checks.remove('consent_prompt');
  consent.checks.remove('native_client_prompt');
  consent.checks.add(
    new Check('consent_prompt', requested.description, 'consent_required', requested.check, everything),
  );
  consent.checks.add(
    new Check(
      'native_client_prompt',
      'native clients require End-User interaction',
      'interaction_required',
      async (ctx) => !claimedFirstParty(ctx, clients) && (await native.check(ctx)) === true,
      everything,
    ),
  );
  return policy;
}

/**
 * What is demanded of a sign-in for this request: by the request itself (`acr` as an essential claim, else
 * `acr_values`), else by the defaults of the client's file, of each any one will do; and by the least
 * level that the client's file sets. Accounts add their own once it is known whose they are.
 */
function demandsOf(ctx: KoaContextWithOIDC, clients: ClientRegistry): LevelDemand[] {
  const clientId = ctx.oidc.client?.clientId ?? '';
  const requested = requestedAcr(ctx);
  const preferred = clients.file(clientId)?.default_acr_values ?? [];
  const { minimum_acr: minimum } = clients.settings(clientId);
  const demands: LevelDemand[] = [
    requested.length > 0 ? { source: 'request', acr: requested } : { source: 'client', acr: preferred },
    { source: 'client', acr: minimum === undefined ? [] : [minimum] },
  ];
  return demands.filter(({ acr }) => acr.length > 0);
}

function requestedAcr({ oidc }: KoaContextWithOIDC): readonly Acr[] {
  const claim = oidc.claims.id_token?.acr;
  if (claim?.essential) {
    if (claim.values !== undefined && !Array.isArray(claim.values))
      throw new errors.InvalidRequest('invalid claims.id_token.acr.values type');
    return [...(claim.values ?? []), ...(claim.value === undefined ? [] : [claim.value])].map(String);
  }
  return String(oidc.params?.acr_values ?? '')
    .split(' ')
    .filter(Boolean);
}

/** A client may take a trusted device for the second factor it demands, and nothing else for anything. */
async function meetsDemands(
  ctx: KoaContextWithOIDC,
  demanded: readonly LevelDemand[],
  clients: ClientRegistry,
  { ladder, isTrustedDevice }: Assurance,
): Promise<boolean> {
  const { session, client } = ctx.oidc;
  const short = demanded.filter(({ acr }) => !ladder.meets(session?.acr, acr));
  if (short.length === 0) return true;
  if (!session?.accountId || !clients.settings(client?.clientId ?? '').trusted_device_suffices) return false;
  const isEnough = short.every(({ acr }) => ladder.meets(ladder.twoFactors, acr));
  return isEnough && (await isTrustedDevice(ctx as unknown as Context, session.accountId));
}

/** The storage is asked only about a session that would fall short of two factors. */
async function meetsOwn(ctx: KoaContextWithOIDC, assurance: Assurance): Promise<boolean> {
  const { ladder, requiredBy, isTrustedDevice } = assurance;
  const { session, account } = ctx.oidc;
  if (!session?.accountId || !account) return true;
  const minimum = minimumOf(account);
  // The level that is told need not be all that was shown: of an eID's and a code, it may be the eID's.
  const shown = [ladder.ofSession({ amr: session.amr ?? [], acr: session.acr })];
  const isEnough = minimum === undefined || ladder.reaches(shown, [minimum]);
  if (ladder.isTwoFactors(shown)) return isEnough;
  const required = await requiredBy(session.accountId, minimum);
  if (required === undefined || ladder.reaches(shown, [required])) return true;
  return ladder.meets(ladder.twoFactors, [required]) && isTrustedDevice(ctx as unknown as Context, session.accountId);
}

/** The library reads the hint when a request arrives, not when it goes on after the pages. */
async function readHint({ oidc }: KoaContextWithOIDC): Promise<void> {
  const hint = oidc.params?.id_token_hint;
  if (typeof hint !== 'string' || !oidc.client || oidc.entities.IdTokenHint) return;
  oidc.entity('IdTokenHint', await oidc.provider.IdToken.validate(hint, oidc.client));
}

const ofThePerson = (claims: readonly string[]): string[] => claims.filter((claim) => !ABOUT_THE_SIGN_IN.has(claim));

/** As the library's own checks tell what is missing. */
const everythingAsked = ({ scopes, claims, resources }: Asked): Record<string, unknown> => ({
  missingOIDCScope: scopes,
  missingOIDCClaims: ofThePerson(claims),
  missingResourceScopes: resources,
});

type Missing = (ctx: KoaContextWithOIDC, asked: Asked) => Readonly<Record<string, readonly string[]>>;

/** Which checks look for what was not granted yet, and what they find. */
const MISSING: readonly (readonly [reason: string, Missing])[] = [
  [
    'op_scopes_missing',
    ({ oidc }, { scopes }) => ({
      missingOIDCScope: without(scopes, oidc.grant?.getOIDCScopeEncountered().split(' ')),
    }),
  ],
  [
    'op_claims_missing',
    ({ oidc }, { claims }) => ({
      missingOIDCClaims: without(ofThePerson(claims), oidc.grant?.getOIDCClaimsEncountered()),
    }),
  ],
];

const without = (wanted: readonly string[], had: readonly string[] = []): string[] =>
  wanted.filter((name) => !had.includes(name));

function claimedFirstParty({ oidc: { client } }: KoaContextWithOIDC, clients: ClientRegistry): boolean {
  return (
    client !== undefined &&
    clients.settings(client.clientId).first_party &&
    (client.redirectUris ?? []).every((uri) => uri.startsWith('https://'))
  );
}
