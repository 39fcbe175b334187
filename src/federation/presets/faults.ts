import { nearest } from '../../config/index.ts';
import { OWN_CLAIMS, type ProviderFile } from '../../config/schema/provider.ts';
import type { TokenProtection, Upstream } from '../upstream.ts';
import type { Facts, Preset, PresetProblem, Setting } from './preset.ts';
import { PRESET } from './presets.ts';

const PROPER_FORMS = '${env:NAME} or ${file:/path}';

/** A message signed with a shared secret of fewer bytes can be guessed at (RFC 7518 §3.2). */
const SHORTEST_HMAC_KEY = 32;

const at = (setting: Setting, message: string): PresetProblem => ({ path: [setting], message });

/** Everything about a file that only its preset knows. */
export function* faultsOf(
  file: ProviderFile,
  preset: Preset,
  facts: Facts,
  upstream: Upstream,
): Generator<PresetProblem> {
  yield* missing(file, preset);
  yield* misplaced(file, preset, facts);
  yield* credentials(file, facts, upstream);
  yield* sharedKeys(file, upstream);
  yield* levels(file, facts, upstream);
  yield* released(file, facts, upstream);
  yield* linking(file, preset);
  for (const [setting, message] of entries(preset.faults?.(file, upstream))) yield at(setting, message);
}

const entries = (faults: Partial<Record<Setting, string>> = {}): [Setting, string][] =>
  Object.entries(faults) as [Setting, string][];

function* missing(file: ProviderFile, preset: Preset): Generator<PresetProblem> {
  for (const [setting, message] of entries(preset.demands?.(file))) {
    if (file[setting] === undefined) yield at(setting, message);
  }
}

/** Settings that mean nothing with this preset: somebody expects something of them. */
function* misplaced(file: ProviderFile, preset: Preset, facts: Facts): Generator<PresetProblem> {
  for (const [owner, { own = [] }] of Object.entries(PRESET)) {
    if (owner === file.preset) continue;
    for (const setting of own) {
      if (file[setting] !== undefined && !preset.own?.includes(setting)) {
        yield at(setting, `must be removed: it belongs to the preset ${owner}`);
      }
    }
  }
  if (file.environment !== undefined && !preset.hasSandbox) {
    yield at('environment', `must be removed: the preset ${file.preset} knows no sandbox`);
  }
  if (file.national_number && !facts.nationalNumber) {
    yield at(
      'national_number',
      `must be removed: no claim with a national number is known of ${file.preset}. Name it under subject, with confidential: true`,
    );
  }
  if (file.national_number && file.subject) {
    yield at('national_number', 'must not stand beside subject: one of the two');
  }
}

function* credentials(file: ProviderFile, facts: Facts, { authentication }: Upstream): Generator<PresetProblem> {
  const { method } = authentication;
  const named = file.token_endpoint_auth_method;
  if (facts.methodsAreAll && named !== undefined && !facts.methods.includes(named)) {
    const choice = facts.methods.length > 0 ? `must be ${facts.methods.join(' or ')}` : 'must be removed';
    yield at('token_endpoint_auth_method', `${choice}: ${file.preset} knows nothing else`);
    return;
  }
  const usesSecret = method === 'client_secret_basic' || method === 'client_secret_post';
  if (usesSecret && file.client_secret === undefined) {
    yield at('client_secret', `is missing: ${method} needs the one the provider gave, as ${PROPER_FORMS}`);
  }
  if (!usesSecret && file.client_secret !== undefined) {
    yield at('client_secret', `must be removed: ${file.preset} is used with keys here, not with a shared secret`);
  }
  if (method === 'private_key_jwt') return;
  for (const setting of ['token_endpoint_auth_signing_alg', 'client_assertion_audience'] as const) {
    if (file[setting] !== undefined) yield at(setting, 'must be removed: it is for private_key_jwt');
  }
}

/** HS256 and `dir` take their key from the shared secret (OpenID Connect Core §10). */
function* sharedKeys(file: ProviderFile, { authentication, idToken, userinfo }: Upstream): Generator<PresetProblem> {
  const secret = 'secret' in authentication ? authentication.secret : undefined;
  const check = function* (setting: 'id_token' | 'userinfo', protection?: TokenProtection): Generator<PresetProblem> {
    if (!protection) return;
    const isSymmetric = protection.signedWith.includes('HS256');
    const isDirect = protection.encryptedWith?.alg.includes('dir') ?? false;
    if (!isSymmetric && !isDirect) return;
    const what = isSymmetric ? 'HS256' : 'dir';
    if (secret === undefined) {
      yield at(setting, `must not hold ${what}: its key is the client secret, and this provider is used without one`);
    } else if (isSymmetric && file.client_secret !== undefined && secret.length < SHORTEST_HMAC_KEY) {
      yield at('client_secret', 'must have at least 32 characters: HS256 makes its key of it');
    }
    // Whoever takes either can be given a token signed with a public key for a secret.
    if (isSymmetric && protection.signedWith.length > 1) {
      yield at(
        setting,
        'must hold HS256 alone or not at all: which of the two a token has is not for the token to say',
      );
    }
  };
  yield* check('id_token', idToken);
  yield* check('userinfo', userinfo.jwt);
}

function* levels(file: ProviderFile, facts: Facts, upstream: Upstream): Generator<PresetProblem> {
  if (facts.alwaysAsksLevel && upstream.levels.length === 0) {
    yield at('levels', `must not be empty: ${file.preset} refuses requests that ask for no level`);
  }
  if (upstream.asksLevelBy.by === 'claims' && upstream.asksLevelBy.of === 'userinfo' && !upstream.userinfo.fetched) {
    yield at('userinfo', 'must be fetched: the level is told there');
  }
}

function* released(file: ProviderFile, facts: Facts, { mapping }: Upstream): Generator<PresetProblem> {
  const known = [
    ...Object.keys(mapping).filter((claim) => !OWN_CLAIMS.includes(claim)),
    ...(file.national_number && facts.nationalNumber ? ['national_number'] : []),
  ];
  for (const [client, claims] of Object.entries(file.release)) {
    for (const [index, claim] of claims.entries()) {
      // Refused whoever takes them from where.
      if (known.includes(claim) || OWN_CLAIMS.includes(claim)) continue;
      const close = nearest(claim, known);
      yield {
        path: ['release', client, index],
        message: `is no claim that is taken from this provider${close ? `; did you mean ${close}?` : `. Those are: ${known.join(', ')}`}`,
      };
    }
  }
}

function* linking(file: ProviderFile, { emailAuthority }: Preset): Generator<PresetProblem> {
  if (file.link.automatic_by_email && emailAuthority === 'never') {
    yield {
      path: ['link', 'automatic_by_email'],
      message: `must be false: ${file.preset} does not vouch for e-mail addresses, so whoever has one there could take over the account here`,
    };
  }
}
