import type { Identity } from '../../federation/index.ts';
import { epochSeconds } from '../../kernel/clock.ts';
import { VestibuleError } from '../../kernel/errors.ts';
import type { Credential, WaysIn } from '../../storage/ports.ts';
import type { Factor, Trail } from '../factor.ts';
import { createPending } from '../pending.ts';
import type { CredentialServices } from '../services.ts';
import { isLastWayIn } from '../ways-in.ts';
import { keepable } from './claims.ts';

const KIND = 'external';
/** More than there are providers; bounds what an account can make us store and list. */
const MOST = 20;

interface Stored {
  readonly provider: string;
  /** What the person recognises, sealed: it may be a name. */
  readonly label?: string;
  /** What clients are told of the provider's claims, as JSON, sealed: it may be a national number. */
  readonly claims?: string;
  /** By which a logout token names the person, hashed. */
  readonly upstream: string;
  /** Seconds since the epoch. */
  readonly lastUsedAt?: number;
}

/** An identity as its owner sees it; times are seconds since the epoch. */
export interface LinkedIdentity {
  readonly id: string;
  /** Name of the provider's file. */
  readonly provider: string;
  readonly label?: string;
  readonly createdAt: number;
  readonly lastUsedAt?: number;
}

/** What a provider said of somebody the last time they came from there, as far as some client is released it. */
export interface KeptClaims {
  /** Name of the provider's file. */
  readonly provider: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** `taken`: it is an account's already, this one's or another's; `too_many`: the account has as many as it may. */
export type Linking = 'linked' | 'taken' | 'too_many';

export interface ExternalFactor extends Factor {
  /** Whose identity it is; notes the use, and keeps what was said. @returns undefined for one that nobody has linked */
  accountOf(identity: Identity): Promise<string | undefined>;
  /** Links it: from now on it signs the account in. Of an identity there is one account, whoever asks at the same moment. */
  link(accountId: string, identity: Identity, trail: Trail): Promise<Linking>;
  /** Oldest first. */
  list(accountId: string): Promise<LinkedIdentity[]>;
  /** Of each identity that has any; the one used last comes first. One read. */
  claims(accountId: string): Promise<KeptClaims[]>;
  /**
   * @param waysIn what signs in: the last of it stays
   * @returns false when it is the last one
   * @throws VestibuleError `identity_gone` (404)
   */
  unlink(accountId: string, id: string, waysIn: WaysIn, trail: Trail): Promise<boolean>;
  /** Keeps an identity, sealed, until its owner has proven an account: for half an hour. */
  hold(binding: string, identity: Identity): Promise<void>;
  held(binding: string): Promise<Identity | undefined>;
  /** @returns whether it was still there: true for one caller */
  release(binding: string): Promise<boolean>;
}

export function createExternalFactor(services: CredentialServices): ExternalFactor {
  const { store, challenges, clock, random, secretBox, logger, changed } = services;
  const pending = createPending({ store: challenges, secretBox, clock, purpose: KIND });
  const sealFor = (accountId: string) => `external identity ${accountId}`;

  const claimsFor = (accountId: string) => `external claims ${accountId}`;

  /** Never in clear: it may be a national number. */
  const nameOf = ({ issuer, subject, knownBy = 'sub' }: Identity): string => JSON.stringify([issuer, knownBy, subject]);
  const read = ({ data }: Credential): Stored => JSON.parse(data) as Stored;
  const find = async (identity: Identity): Promise<Credential | undefined> => {
    for (const lookup of secretBox.keyedHashes('external identity', nameOf(identity))) {
      const found = await store.findByLookup(KIND, lookup);
      if (found) return found;
    }
    return undefined;
  };
  const linkedOf = (credential: Credential): LinkedIdentity => {
    const { provider, label, lastUsedAt } = read(credential);
    return {
      id: credential.id,
      provider,
      ...(label === undefined ? {} : { label: secretBox.open(sealFor(credential.accountId), label) }),
      createdAt: credential.createdAt,
      ...(lastUsedAt === undefined ? {} : { lastUsedAt }),
    };
  };

  /** Sealed for the account, so that moved to another one it opens nothing. Nothing to keep: what was kept goes. */
  const claimsIn = (accountId: string, identity: Identity): Pick<Stored, 'claims'> => {
    const { claims, left } = keepable(identity);
    const { provider } = identity;
    if (left.length > 0) logger.warn({ event: 'identity.claims_left_out', account: accountId, provider, claims: left });
    if (Object.keys(claims).length === 0) return {};
    return { claims: secretBox.seal(claimsFor(accountId), JSON.stringify(claims)) };
  };

  return {
    id: KIND,
    // What it is worth is vouched for each time anew (`Proof.acr`).
    attainable: [],
    enrolled: async (accountId) => (await store.list(accountId, KIND)).length > 0,
    potential: async () => [],

    async accountOf(identity) {
      const credential = await find(identity);
      if (!credential) return undefined;
      const { accountId } = credential;
      const { claims: _before, ...rest } = read(credential);
      const stored: Stored = {
        ...rest,
        // Another file may stand for the same issuer: what was said is released as that file says.
        provider: identity.provider,
        ...claimsIn(accountId, identity),
        lastUsedAt: epochSeconds(clock),
      };
      // Somebody else noted a use at the same moment: as good.
      await store.replace({ ...credential, data: JSON.stringify(stored) }, credential.version);
      return accountId;
    },

    async link(accountId, identity, trail) {
      if (await find(identity)) return 'taken';
      if ((await store.list(accountId, KIND)).length >= MOST) return 'too_many';
      const now = epochSeconds(clock);
      const [lookup = ''] = secretBox.keyedHashes('external identity', nameOf(identity));
      const data: Stored = {
        provider: identity.provider,
        ...(identity.label === undefined ? {} : { label: secretBox.seal(sealFor(accountId), identity.label) }),
        ...claimsIn(accountId, identity),
        upstream: secretBox.keyedHash('external subject', `${identity.issuer} ${identity.upstreamSubject}`),
        lastUsedAt: now,
      };
      const credential = { accountId, kind: KIND, id: random.id(), lookup, data: JSON.stringify(data), version: 1 };
      if (!(await store.insert({ ...credential, createdAt: now, updatedAt: now }, await trail()))) return 'taken';
      await changed(accountId);
      return 'linked';
    },

    list: async (accountId) => (await store.list(accountId, KIND)).map(linkedOf),

    async claims(accountId) {
      const kept = (await store.list(accountId, KIND)).map(read);
      const newest = kept.toSorted((a, b) => (b.lastUsedAt ?? 0) - (a.lastUsedAt ?? 0));
      return newest.flatMap(({ provider, claims }) =>
        claims === undefined ? [] : [{ provider, claims: JSON.parse(secretBox.open(claimsFor(accountId), claims)) }],
      );
    },

    async unlink(accountId, id, waysIn, trail) {
      if (!(await store.find(accountId, KIND, id))) throw new VestibuleError('identity_gone', 404);
      if (await isLastWayIn(store, { accountId, kind: KIND, id }, waysIn)) return false;
      const removed = await store.removeUnlessLast(accountId, KIND, id, waysIn, await trail());
      if (removed) await changed(accountId);
      return removed;
    },

    async remove(accountId, mails) {
      const [first, ...others] = await store.list(accountId, KIND);
      await Promise.all([
        first && store.remove(accountId, KIND, first.id, mails),
        ...others.map(({ id }) => store.remove(accountId, KIND, id)),
      ]);
      await changed(accountId);
    },

    hold: (binding, identity) => pending.keep(binding, JSON.stringify(identity)),
    async held(binding) {
      const kept = await pending.find(binding);
      return kept === undefined ? undefined : (JSON.parse(kept) as Identity);
    },
    release: (binding) => pending.drop(binding),
  };
}
