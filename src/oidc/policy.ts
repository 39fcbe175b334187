import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import { type Acr, meets } from '../journey/index.ts';
import type { ClientRegistry } from './clients.ts';
import { askedIn } from './grants.ts';

const { Check, base } = interactionPolicy;

/** Claims that tell of the sign-in, not of the person: nobody is asked about them. */
const ABOUT_THE_SIGN_IN = new Set(['sub', 'sid', 'auth_time', 'acr', 'amr', 'iss']);

/** Reasons to ask for a sign-in though somebody is signed in: somebody else is wanted. */
export const ANOTHER_PERSON: readonly string[] = ['id_token_hint', 'claims_id_token_sub_value'];

/** Where an interaction remembers the levels of assurance its request demands. */
export const DEMANDED = 'vestibule_acr';

/**
 * When a portal's request needs a person, and for what. The library's own policy, with its exact
 * comparison of `acr` replaced by ranks, and what it leaves out added.
 * @param attainable levels that can be reached here, lowest first
 */
export function createPolicy(clients: ClientRegistry, attainable: readonly Acr[]): interactionPolicy.DefaultPolicy {
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
      'unmet_authentication_requirements',
      (ctx) => {
        const demanded = demandedAcr(ctx, clients);
        // Said at once, before anybody types a password for nothing (RFC 9470 §5).
        if (demanded.length > 0 && !attainable.some((acr) => meets(acr, demanded))) {
          throw new errors.UnmetAuthenticationRequirements('the requested authentication can not be performed here');
        }
        if (ctx.oidc.session?.accountId === undefined || meets(ctx.oidc.session.acr, demanded)) return false;
        // The journey ends below what is demanded only by a mistake of ours: never asked again for ever.
        if (ctx.oidc.result?.login) throw new errors.UnmetAuthenticationRequirements();
        return true;
      },
    ),
  );
  // Whatever made a sign-in necessary, it has to reach what is demanded.
  const details = login.details;
  login.details = async (ctx) => ({ ...(await details(ctx)), [DEMANDED]: demandedAcr(ctx, clients) });

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

  // A page that is shown for its own sake says everything that is asked for, not only what is new.
  const requested = consent.checks.get('consent_prompt');
  // RFC 8252 §8.6: a native app can be impersonated unless its redirect is a claimed https
  // address; only then may the operator's own app go without asking.
  const native = consent.checks.get('native_client_prompt');
  if (!requested || !native) throw new Error('the protocol library lost its base policy');
  consent.checks.remove('consent_prompt');
  consent.checks.remove('native_client_prompt');
  consent.checks.add(
    new Check('consent_prompt', requested.description, 'consent_required', requested.check, everythingAsked),
  );
  consent.checks.add(
    new Check(
      'native_client_prompt',
      'native clients require End-User interaction',
      'interaction_required',
      async (ctx) => !claimedFirstParty(ctx, clients) && (await native.check(ctx)) === true,
      everythingAsked,
    ),
  );
  return policy;
}

/** `acr` demanded as essential in the `claims` parameter, else `acr_values`, else those of the
 *  client's file: any one of them will do. */
function demandedAcr({ oidc }: KoaContextWithOIDC, clients: ClientRegistry): readonly Acr[] {
  const claim = oidc.claims.id_token?.acr;
  if (claim?.essential) {
    if (claim.values !== undefined && !Array.isArray(claim.values))
      throw new errors.InvalidRequest('invalid claims.id_token.acr.values type');
    return [...(claim.values ?? []), ...(claim.value === undefined ? [] : [claim.value])].map(String);
  }
  const requested = String(oidc.params?.acr_values ?? '')
    .split(' ')
    .filter(Boolean);
  return requested.length > 0 ? requested : (clients.file(oidc.client?.clientId ?? '')?.default_acr_values ?? []);
}

/** The library reads the hint when a request arrives, not when it goes on after the pages. */
async function readHint({ oidc }: KoaContextWithOIDC): Promise<void> {
  const hint = oidc.params?.id_token_hint;
  if (typeof hint !== 'string' || !oidc.client || oidc.entities.IdTokenHint) return;
  oidc.entity('IdTokenHint', await oidc.provider.IdToken.validate(hint, oidc.client));
}

/** As the library's own checks tell what is missing. */
function everythingAsked(ctx: KoaContextWithOIDC): Record<string, unknown> {
  const { scopes, claims, resources } = askedIn(ctx);
  return {
    missingOIDCScope: scopes,
    missingOIDCClaims: claims.filter((claim) => !ABOUT_THE_SIGN_IN.has(claim)),
    missingResourceScopes: resources,
  };
}

function claimedFirstParty({ oidc: { client } }: KoaContextWithOIDC, clients: ClientRegistry): boolean {
  return (
    client !== undefined &&
    clients.settings(client.clientId).first_party &&
    (client.redirectUris ?? []).every((uri) => uri.startsWith('https://'))
  );
}
