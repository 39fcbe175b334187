import { type ProviderFile, providerSchema } from '../../../../src/config/schema/provider.ts';
import { resolveUpstream } from '../../../../src/federation/presets/index.ts';
import type { Upstream } from '../../../../src/federation/upstream.ts';

type Preset = ProviderFile['preset'];

export const SECRET = 'a-secret-of-more-than-32-characters-for-tests';
export const TENANT = '9f3c1c52-7a0e-4a5e-8d0b-2f6f0e9d1a77';
export const PEM = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----\n';

/** What each preset demands besides a client_id, so that the rest can be looked at. */
const DEMANDED: Readonly<Record<Preset, Readonly<Record<string, unknown>>>> = {
  itsme: { service: 'LEMAC', levels: [] },
  franceconnect: { client_secret: SECRET },
  'franceconnect-plus': { client_secret: SECRET },
  swissid: { client_secret: SECRET, levels: [] },
  agov: { client_secret: SECRET, issuer: 'https://agov.test/', levels: [] },
  csam: { client_secret: SECRET, levels: [] },
  mitid: { client_secret: SECRET },
  'id-porten': { issuer: 'https://idporten.test', token_endpoint_auth_method: 'private_key_jwt' },
  'id-austria': { client_id: 'https://portal.test/', client_secret: SECRET, levels: [] },
  singpass: { levels: [] },
  'login-gov': { levels: [] },
  google: { client_secret: SECRET },
  microsoft: { client_secret: SECRET, tenant: TENANT },
  apple: { team_id: 'ABCDE12345', key_id: 'FGHIJ67890', private_key: PEM },
  generic: { issuer: 'https://eid.test', name: 'Test eID', client_secret: SECRET },
};

/** A file that says this and nothing more. */
export const bare = (preset: Preset, settings: Readonly<Record<string, unknown>> = {}): ProviderFile => ({
  ...providerSchema.parse({ preset, client_id: 'client', ...settings }),
  id: preset,
});

/** A file with everything its preset demands; a setting given as undefined is left out. */
export const file = (preset: Preset, settings: Readonly<Record<string, unknown>> = {}): ProviderFile =>
  bare(preset, { ...DEMANDED[preset], ...settings });

/** @throws Error when the preset refuses the file */
export function upstreamOf(provider: ProviderFile): Upstream {
  const { upstream, problems } = resolveUpstream(provider);
  if (!upstream) throw new Error(JSON.stringify(problems));
  return upstream;
}

/** `setting: sentence` of each problem. */
export const problemsOf = (provider: ProviderFile): string[] =>
  (resolveUpstream(provider).problems ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
