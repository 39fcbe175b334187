import { ACCOUNT_AREA } from '../config/schema/client.ts';
import type { ProviderFile } from '../config/schema/provider.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { ArtifactStore } from '../storage/ports.ts';
import type { Wanted } from './authorization-request.ts';
import { UpstreamError } from './errors.ts';
import { createGuardedFetch } from './guarded-fetch.ts';
import type { Identity } from './identity.ts';
import type { UpstreamKeys } from './keys.ts';
import { takeOnce, type UpstreamLogout } from './logout-token.ts';
import { isEmailAuthoritative, resolveUpstream, vouchedFor } from './presets/index.ts';
import type { RelyingParty } from './relying-party.ts';
import { createTransactions, type Transaction } from './transactions.ts';
import type { Upstream } from './upstream.ts';

/** A provider as a sign-in page offers it. */
export interface Offered {
  readonly id: string;
  /** Text, or texts by language. */
  readonly name: Upstream['name'];
  /** Levels it can vouch for, by our names, lowest first. */
  readonly acr: readonly string[];
}

/** What one provider's file releases: client → claims, by our names. */
export interface Release {
  readonly provider: string;
  readonly clients: Readonly<Record<string, readonly string[]>>;
}

/** The external providers of the configuration, all at once. */
export interface Federation {
  /** Those whose button a client's sign-in pages show, in their order. */
  offered(clientId: string): readonly Offered[];
  find(id: string): Offered | undefined;
  /** What may come of somebody unknown. */
  policy(id: string): ProviderFile['link'] | undefined;
  /** An e-mail address that the provider has confirmed, and that is its to confirm; of no other is anything concluded. */
  confirmedEmail(identity: Identity): string | undefined;
  /** What the clients are told of each, in the order of the buttons; nothing of one that is switched off. */
  readonly releases: readonly Release[];
  /** Every level that any of them can vouch for. */
  readonly attainable: readonly string[];
  /** @returns where to send the browser @throws UpstreamError */
  begin(on: Pick<Transaction, 'provider' | 'purpose' | 'binding' | 'resume'>, wanted: Wanted): Promise<string>;
  /**
   * Puts down what came to a provider's callback.
   * @returns path, with query, that proves whose browser it is and that it brought the answer @throws UpstreamError
   */
  deliver(provider: string, parameters: URLSearchParams): Promise<string>;
  /** Takes it, once, and learns who came back. @throws UpstreamError */
  redeem(answer: string, expected: Pick<Transaction, 'provider' | 'purpose' | 'binding'>): Promise<Identity>;
  /** How a provider signs out; undefined: it is gone or switched off. */
  logoutOf(provider: string): Upstream['logout'] | undefined;
  /** Whether any of them signs out together with us, one way or the other. */
  readonly signsOut: boolean;
  /**
   * Where the browser signs out there (OpenID Connect RP-Initiated Logout 1.0); it comes back to
   * `/external/<id>/logged-out`.
   * @param idTokenHint `Identity.idToken`
   * @returns undefined where it isn't to, or can't @throws UpstreamError
   */
  endSession(provider: string, idTokenHint: string, state: string): Promise<string | undefined>;
  /**
   * Checks a logout token that came to a provider's receiver (OpenID Connect Back-Channel Logout 1.0) and does what it
   * says, once.
   * @param end does it; what it throws leaves the token good for another try
   * @throws UpstreamError
   */
  takeLogout(provider: string, jwt: string, end: (logout: UpstreamLogout) => Promise<void>): Promise<void>;
}

interface Party {
  readonly file: ProviderFile;
  readonly offered: Offered;
  readonly relyingParty: RelyingParty;
}

/** @throws TypeError when a file doesn't resolve: the configuration was checked before */
export async function createFederation(deps: {
  issuer: string;
  providers: readonly ProviderFile[];
  keys: UpstreamKeys;
  store: ArtifactStore;
  secretBox: SecretBox;
  clock: Clock;
  logger: Logger;
}): Promise<Federation> {
  const { issuer, keys, clock, logger } = deps;
  const transactions = createTransactions(deps);

  const partyOf = async (file: ProviderFile): Promise<Party> => {
    // With the first provider: without any, most of this folder and the client library are no part of a start.
    const { createRelyingParty } = await import('./relying-party.ts');
    const resolved = resolveUpstream(file);
    if ('problems' in resolved) throw new TypeError(`providers/${file.id}.yaml does not resolve`);
    const { upstream } = resolved;
    const callback = `${issuer}/external/${file.id}/callback`;
    const fetch = createGuardedFetch(vouchedFor(file, upstream));
    const levels = upstream.levels.map(({ acr }) => acr);
    const acr = levels.length > 0 ? levels : upstream.defaultAcr === undefined ? [] : [upstream.defaultAcr];
    return {
      file,
      offered: { id: file.id, name: upstream.name, acr },
      relyingParty: createRelyingParty(upstream, { keys, callback, fetch, clock, logger }),
    };
  };
  // Switched off: no button, and an answer under way is refused (security-catalogue: disabled identity provider).
  const all = await Promise.all(deps.providers.filter(({ enabled }) => enabled).map(partyOf));
  const parties = new Map(all.map((party) => [party.file.id, party]));
  const partyFor = (id: string): Party => {
    const party = parties.get(id);
    if (!party) throw new UpstreamError('transaction', 'no such provider, or switched off');
    return party;
  };

  return {
    offered: (clientId) =>
      all
        // Whoever has only that way in must come into their account by it, whichever portal it is for.
        .filter(({ file }) => clientId === ACCOUNT_AREA || (file.clients?.includes(clientId) ?? true))
        .map(({ offered }) => offered),
    find: (id) => parties.get(id)?.offered,
    policy: (id) => parties.get(id)?.file.link,
    confirmedEmail({ provider, claims }) {
      const party = parties.get(provider);
      const { email } = claims;
      return party && typeof email === 'string' && isEmailAuthoritative(party.file.preset, claims) ? email : undefined;
    },
    releases: all.map(({ file }) => ({ provider: file.id, clients: file.release })),
    attainable: [...new Set(all.flatMap(({ offered }) => offered.acr))],

    async begin(on, wanted) {
      const { url, secrets } = await partyFor(on.provider).relyingParty.authorizationRequest(wanted);
      await transactions.begin({ ...on, secrets });
      return url;
    },

    async deliver(provider, parameters) {
      partyFor(provider);
      const states = parameters.getAll('state');
      const [state] = states;
      if (states.length !== 1 || !state) throw new UpstreamError('state', 'missing, or more than one');
      return transactions.deliver(provider, state, parameters);
    },

    async redeem(answer, expected) {
      const { relyingParty, file } = partyFor(expected.provider);
      const { parameters, secrets } = await transactions.redeem(answer, expected);
      const identity = await relyingParty.identity(parameters, secrets);
      return { ...identity, released: releasedOf(identity, file) };
    },

    logoutOf: (id) => parties.get(id)?.relyingParty.upstream.logout,
    signsOut: all.some(({ relyingParty: { upstream } }) => upstream.logout.rpInitiated || upstream.logout.backChannel),
    endSession: async (id, idTokenHint, state) =>
      parties.get(id)?.relyingParty.endSession(idTokenHint, `${issuer}/external/${id}/logged-out`, state),

    async takeLogout(id, jwt, end) {
      const { relyingParty } = partyFor(id);
      if (!relyingParty.upstream.logout.backChannel) throw new UpstreamError('logout_token', 'not listened to');
      await takeOnce(id, await relyingParty.logoutToken(jwt), deps.store, end);
    },
  };
}

/** What no client is released is nobody's to keep. */
function releasedOf({ claims }: Identity, { release }: ProviderFile): Identity['claims'] {
  const names = new Set(Object.values(release).flat());
  return Object.fromEntries(Object.entries(claims).filter(([name]) => names.has(name)));
}
