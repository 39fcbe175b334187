import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import { type Acr, meets } from '../journey/index.ts';
import type { ClientRegistry } from './clients.ts';

const { Check, base } = interactionPolicy;

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
      (ctx) => ctx.oidc.session?.accountId !== undefined && ctx.oidc.account === undefined,
    ),
  );
  login.checks.add(
    new Check(
      'acr_unmet',
      'the authentication demanded was not performed',
      'unmet_authentication_requirements',
      (ctx) => {
        const demanded = demandedAcr(ctx);
        // Said at once, before anybody types a password for nothing (RFC 9470 §5).
        if (demanded.length > 0 && !attainable.some((acr) => meets(acr, demanded))) {
          throw new errors.UnmetAuthenticationRequirements('the requested authentication can not be performed here');
        }
        return ctx.oidc.session?.accountId !== undefined && !meets(ctx.oidc.session.acr, demanded);
      },
    ),
  );

  // RFC 8252 §8.6: a native app can be impersonated unless its redirect is a claimed https
  // address; only then may the operator's own app go without asking.
  const nativePrompt = consent.checks.get('native_client_prompt');
  consent.checks.remove('native_client_prompt');
  consent.checks.add(
    new Check(
      'native_client_prompt',
      'native clients require End-User interaction',
      'interaction_required',
      async (ctx) => !claimedFirstParty(ctx, clients) && (await nativePrompt?.check(ctx)) === true,
    ),
  );
  return policy;
}

/** `acr_values`, or `acr` demanded as essential in the `claims` parameter: any one of them will do. */
export function demandedAcr({ oidc }: KoaContextWithOIDC): readonly Acr[] {
  const claim = oidc.claims.id_token?.acr;
  if (claim?.essential) {
    if (claim.values !== undefined && !Array.isArray(claim.values))
      throw new errors.InvalidRequest('invalid claims.id_token.acr.values type');
    return [...(claim.values ?? []), ...(claim.value === undefined ? [] : [claim.value])].map(String);
  }
  const requested = oidc.params?.acr_values;
  return typeof requested === 'string' ? requested.split(' ').filter(Boolean) : [];
}

function claimedFirstParty({ oidc: { client } }: KoaContextWithOIDC, clients: ClientRegistry): boolean {
  return (
    client !== undefined &&
    clients.settings(client.clientId).first_party &&
    (client.redirectUris ?? []).every((uri) => uri.startsWith('https://'))
  );
}
