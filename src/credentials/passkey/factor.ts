import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { VestibuleError } from '../../kernel/errors.ts';
import type { WaysIn } from '../../storage/ports.ts';
import type { Factor, Trail } from '../factor.ts';
import type { CredentialServices } from '../services.ts';
import { isLastWayIn } from '../ways-in.ts';
import { createChallenges } from './challenges.ts';
import { type CreationOutcome, createCreation, type Owner, type Registration } from './creation.ts';
import { createDecoys } from './decoys.ts';
import { library } from './library.ts';
import { providerOf } from './names.ts';
import { createOffers, type Offers } from './offers.ts';
import { KIND, methodsOf, type Passkey, passkeyOf, withData } from './record.ts';
import { relyingParty } from './relying-party.ts';
import { type Assertion, createSignIn, type SignInOutcome, type Wanted } from './sign-in.ts';

/** Characters of a name a person gives. */
export const NAME_MAX_LENGTH = 60;

/** What a browser is told of the passkeys that count here (WebAuthn Level 3 §5.1.10, Signal API). */
export interface Signals {
  readonly rpId: string;
  readonly userId: string;
  readonly acceptedIds: readonly string[];
}

const DISABLED = { problem: 'passkey_refused', reason: 'disabled' } as const;

export interface PasskeyFactor extends Factor {
  /** Whether the passkey page comes after this name; as often for names that nobody has (`decoys.ts`). */
  isExpected(accountId: string | undefined, identifier: string): Promise<boolean>;
  /** @param verified whether fingerprint, face or PIN is demanded, whatever the settings say */
  begin(binding: string, wanted: Wanted, verified: boolean): Promise<PublicKeyCredentialRequestOptionsJSON>;
  verify(assertion: Assertion): Promise<SignInOutcome>;
  beginEnrolment(binding: string, owner: Owner, automatic: boolean): Promise<PublicKeyCredentialCreationOptionsJSON>;
  enrol(registration: Registration): Promise<CreationOutcome>;
  readonly offers: Offers;
  /** Oldest first. */
  list(accountId: string): Promise<(Passkey & { readonly provider: string | undefined })[]>;
  /** @throws VestibuleError `passkey_gone` (404) when the account has no such passkey */
  rename(accountId: string, id: string, name: string): Promise<void>;
  /**
   * @param waysIn what signs in: the last of it stays
   * @returns false when it is the last one
   * @throws VestibuleError `passkey_gone` (404) when the account has no such passkey
   */
  delete(accountId: string, id: string, waysIn: WaysIn, record: Trail): Promise<boolean>;
  /** `undefined` for people who never had one. */
  signals(accountId: string): Promise<Signals | undefined>;
  /** Sites that may use these passkeys with servers of their own, this one first: empty unless configured (§5.11). */
  readonly relatedOrigins: readonly string[];
  /** Loads the library beforehand where somebody will need it. */
  prepare(): Promise<void>;
}

export function createPasskeyFactor(services: CredentialServices): PasskeyFactor {
  const { store, accounts, challenges: artifacts, clock, random, secretBox, logger, config, changed } = services;
  const { enabled, origins, offer } = config.passkeys;
  const attests = config.passkeys.attestation === 'direct';
  const party = relyingParty(config);
  const challenges = createChallenges({ store: artifacts, clock, random });
  const share = async (): Promise<number> => {
    const [holders, all] = await Promise.all([store.holders(KIND), accounts.count()]);
    return all === 0 ? 0 : holders / all;
  };
  const decoys = createDecoys({ share, attested: attests, secretBox, clock });
  const signIn = createSignIn({ store, challenges, decoys, party, clock, logger });
  const creation = createCreation({ store, challenges, decoys, party, clock, random });
  const offers = createOffers({ store, clock, enabled: enabled && offer.enabled, againAfter: offer.again_after });
  const passkeysOf = async (accountId: string): Promise<Passkey[]> =>
    (await store.list(accountId, KIND)).map(passkeyOf);

  /** Switched off by the operator: what people have is kept, and neither signs in nor grows. */
  const refuseIfDisabled = (): void => {
    if (!enabled) throw new VestibuleError('not_found', 404);
  };

  const find = async (accountId: string, id: string) => {
    const credential = await store.find(accountId, KIND, id);
    if (!credential) throw new VestibuleError('passkey_gone', 404);
    return credential;
  };

  return {
    id: KIND,
    attainable: enabled ? methodsOf({ synced: !attests }, true) : [],
    attested: attests,
    enrolled: async (accountId) => enabled && (await store.list(accountId, KIND)).length > 0,

    // Counted when switched off, too: meanwhile a password alone must not be enough to delete them.
    async potential(_accountId, kept) {
      const passkeys = kept.filter(({ kind }) => kind === KIND).map(passkeyOf);
      return [...new Set(passkeys.flatMap((passkey) => methodsOf(passkey, passkey.userVerified)))];
    },

    async isExpected(accountId, identifier) {
      if (!enabled) return false;
      // Both questions are asked for every name: the answer takes the same time.
      const [passkeys, decoy] = await Promise.all([
        store.list(accountId ?? 'nobody', KIND),
        decoys.hasPasskey(identifier),
      ]);
      return accountId === undefined ? decoy : passkeys.length > 0;
    },

    async begin(...ceremony) {
      refuseIfDisabled();
      return signIn.begin(...ceremony);
    },
    verify: async (assertion) => (enabled ? signIn.verify(assertion) : { proven: false, ...DISABLED }),
    async beginEnrolment(...ceremony) {
      refuseIfDisabled();
      return creation.begin(...ceremony);
    },
    async enrol(registration) {
      if (!enabled) return DISABLED;
      const outcome = await creation.finish(registration);
      if (outcome.created) await changed(registration.accountId);
      return outcome;
    },
    offers,

    async list(accountId) {
      return (await passkeysOf(accountId)).map((passkey) => ({ ...passkey, provider: providerOf(passkey.aaguid) }));
    },

    async rename(accountId, id, name) {
      // A sign-in may write its last use in between; a second try finds what it left.
      for (let tries = 0; tries < 3; tries += 1) {
        const credential = await find(accountId, id);
        const renamed = withData(credential, { ...passkeyOf(credential), name }, credential.updatedAt);
        if (await store.replace(renamed, credential.version)) return;
      }
      throw new VestibuleError('changed_meanwhile', 409);
    },

    async delete(accountId, id, waysIn, record) {
      await find(accountId, id);
      if (await isLastWayIn(store, { accountId, kind: KIND, id }, waysIn)) return false;
      if (await store.removeUnlessLast(accountId, KIND, id, waysIn, await record())) {
        // Whoever deletes one does not want to be offered the next at once.
        await Promise.all([offers.skip(accountId), changed(accountId)]);
        return true;
      }
      // Not removed: the last one, or gone since (a second click).
      await find(accountId, id);
      return false;
    },

    async remove(accountId) {
      const passkeys = await store.list(accountId, KIND);
      // Whoever lost them all is offered a new one again, whatever was answered before.
      await Promise.all([
        ...passkeys.map(({ id }) => store.remove(accountId, KIND, id)),
        offers.forget(accountId),
        changed(accountId),
      ]);
    },

    async signals(accountId) {
      const [userId, passkeys] = await Promise.all([creation.knownHandle(accountId), store.list(accountId, KIND)]);
      return userId === undefined ? undefined : { rpId: party.id, userId, acceptedIds: passkeys.map(({ id }) => id) };
    },

    relatedOrigins: origins.length > 0 ? [...new Set([party.origin, ...origins])] : [],

    async prepare() {
      if (enabled && (await store.holders(KIND)) > 0) await library();
    },
  };
}
