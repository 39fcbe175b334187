import type { ProviderFile } from '../../config/schema/provider.ts';
import type { LevelRequest, SubjectPart, TokenProtection, Upstream } from '../upstream.ts';
import { authenticationOf } from './authentication.ts';
import { faultsOf } from './faults.ts';
import type { Facts, Preset, PresetProblem } from './preset.ts';
import { PRESET } from './presets.ts';

export type Resolved =
  | { readonly upstream: Upstream; readonly problems?: undefined }
  | { readonly upstream?: undefined; readonly problems: readonly PresetProblem[] };

/** Their clock may be off by this many seconds; tokens that live a minute leave no room for much more. */
const CLOCK_TOLERANCE = 10;

type FileProtection = NonNullable<ProviderFile['id_token']>;

const protectionOf = ({ signed_with, encrypted_with }: FileProtection): TokenProtection => ({
  signedWith: signed_with,
  ...(encrypted_with ? { encryptedWith: encrypted_with } : {}),
});

function userinfoOf({ userinfo }: ProviderFile, facts: Facts): Upstream['userinfo'] {
  if (!userinfo) return facts.userinfo;
  return { fetched: userinfo.fetched, ...(userinfo.jwt ? { jwt: protectionOf(userinfo.jwt) } : {}) };
}

/** The preset's facts, with the national number among them where the file wants it. */
function factsOf(file: ProviderFile, preset: Preset): Facts {
  const facts = preset.facts(file);
  const { nationalNumber: number } = facts;
  if (!file.national_number || !number) return facts;
  const isReleased = Object.values(file.release).some((claims) => claims.includes(NATIONAL_NUMBER));
  return {
    ...facts,
    subject: [{ path: number.path, confidential: true }],
    scope: number.scope === undefined ? facts.scope : `${facts.scope} ${number.scope}`,
    claims: number.claims ?? facts.claims,
    // What nobody may be told is better not carried along.
    mapping: isReleased ? { ...facts.mapping, [NATIONAL_NUMBER]: number.path } : facts.mapping,
  };
}

/** Our name of that claim. */
const NATIONAL_NUMBER = 'national_number';

function parametersOf(file: ProviderFile, facts: Facts, levels: Upstream['levels']): Upstream['parameters'] {
  const lowest = facts.alwaysAsksLevel ? levels[0]?.upstream : undefined;
  return { ...facts.parameters, ...(lowest === undefined ? {} : { acr_values: lowest }), ...file.parameters };
}

/** The file over the facts: whatever it says takes their place; parameters and mapping are added to theirs. */
function merge(file: ProviderFile, preset: Preset, facts: Facts): Upstream {
  const { logout } = file;
  const levels = file.levels ?? facts.levels;
  const subject: readonly SubjectPart[] = file.subject ?? facts.subject;
  const asksLevelBy: LevelRequest = file.asks_level_by ?? facts.asksLevelBy;
  return {
    id: file.id,
    preset: file.preset,
    name: file.name ?? preset.name ?? file.id,
    issuer: file.issuer ?? facts.issuer ?? '',
    discoveryUrl: file.discovery_url,
    clientId: file.client_id,
    authentication: authenticationOf(file, facts),
    scope: file.scope ?? facts.scope,
    parameters: parametersOf(file, facts, levels),
    claims: file.claims ?? facts.claims,
    responseMode: file.response_mode ?? facts.responseMode,
    request: file.request ?? facts.request,
    dpop: file.dpop ?? facts.dpop,
    reauthenticates: file.reauthenticates ?? facts.reauthenticates,
    idToken: file.id_token ? protectionOf(file.id_token) : facts.idToken,
    userinfo: userinfoOf(file, facts),
    levels,
    defaultAcr: file.default_acr,
    asksLevelBy,
    subject,
    mapping: { ...facts.mapping, ...file.mapping },
    clockTolerance: file.clock_tolerance ?? CLOCK_TOLERANCE,
    logout: {
      rpInitiated: logout.rp_initiated ?? facts.logout.rpInitiated,
      backChannel: logout.back_channel ?? facts.logout.backChannel,
    },
  };
}

/**
 * Makes of a file and its preset what a relying party needs.
 *
 * @returns the upstream; or everything that the file lacks or has wrong, each with the setting it is about
 */
export function resolveUpstream(file: ProviderFile): Resolved {
  const preset = PRESET[file.preset];
  const facts = factsOf(file, preset);
  const upstream = merge(file, preset, facts);
  const problems = [...faultsOf(file, preset, facts, upstream)];
  return problems.length > 0 ? { problems } : { upstream };
}

/** The same for whoever loads the configuration (`CheckProvider` of `config/`). */
export const checkProvider = (file: ProviderFile): readonly PresetProblem[] => resolveUpstream(file).problems ?? [];
