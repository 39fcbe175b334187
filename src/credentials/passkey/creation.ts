import type { AuthenticatorTransport, PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/server';
import { type Clock, epochSeconds } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import type { Credential, CredentialStore, OutboxEntry } from '../../storage/ports.ts';
import type { Challenges } from './challenges.ts';
import type { Decoys } from './decoys.ts';
import { problemOf, type Reason, reasonOf } from './failure.ts';
import { library } from './library.ts';
import { platformOf, providerOf } from './names.ts';
import { KIND, type Passkey, type PasskeyData, passkeyOf } from './record.ts';
import { ALGORITHMS, type RelyingParty, TIMEOUT } from './relying-party.ts';
import { readRegistration } from './responses.ts';

/** More than anybody's devices; bounds what an account can make us store and list. */
const MOST = 20;
/** Bytes; WebAuthn Level 3 §14.6.1. */
const USER_HANDLE = 64;
const HANDLE_KIND = 'passkey-user-handle';
const HANDLE_ID = 'user-handle';

/** Statements that carry a chain of certificates (§8.2, §8.3), which must end at a trust anchor of the operator's. */
const ATTESTED_FORMATS = ['packed', 'tpm'] as const;

export interface Owner {
  readonly accountId: string;
  readonly username: string;
  readonly displayName?: string | undefined;
}

export interface Registration {
  /** Interaction or session it answers. */
  readonly binding: string;
  readonly accountId: string;
  /** JSON of the browser's response. */
  readonly response: string;
  /** `User-Agent`, for a name where nobody knows the provider. */
  readonly userAgent: string;
  /** Called before it is kept: what can't be recorded is not done. @param name of the passkey @returns mails owed then */
  record(name: string): Promise<readonly OutboxEntry[]>;
}

export type CreationOutcome =
  | { readonly created: Passkey }
  | { readonly created?: never; readonly problem: string; readonly reason: Reason };

export interface Creation {
  /** @param automatic without a dialog, right after a saved password was used (conditional create, §5.1.3) */
  begin(binding: string, owner: Owner, automatic: boolean): Promise<PublicKeyCredentialCreationOptionsJSON>;
  /** Checks and keeps a new passkey as WebAuthn Level 3 §7.1 asks, every step of it. */
  finish(registration: Registration): Promise<CreationOutcome>;
  /** The account's user handle, base64url; made at the first need and kept for good. */
  userHandle(accountId: string): Promise<string>;
  /** The same, without making one. */
  knownHandle(accountId: string): Promise<string | undefined>;
}

export function createCreation(deps: {
  store: CredentialStore;
  challenges: Challenges;
  decoys: Decoys;
  party: RelyingParty;
  clock: Clock;
  random: Random;
}): Creation {
  const { store, challenges, decoys, party, clock, random } = deps;
  const { settings, trustAnchors } = party;
  const direct = settings.attestation === 'direct';

  const knownHandle = async (accountId: string): Promise<string | undefined> =>
    (await store.find(accountId, HANDLE_KIND, HANDLE_ID))?.data;

  const userHandle = async (accountId: string): Promise<string> => {
    const kept = await knownHandle(accountId);
    if (kept !== undefined) return kept;
    const now = epochSeconds(clock);
    const fresh: Credential = {
      accountId,
      kind: HANDLE_KIND,
      id: HANDLE_ID,
      data: random.bytes(USER_HANDLE).toString('base64url'),
      version: 1,
      createdAt: now,
      updatedAt: now,
    };
    if (await store.insert(fresh)) return fresh.data;
    // Two ceremonies began at once: the first one's handle stands.
    return (await knownHandle(accountId)) ?? fresh.data;
  };

  const refused = (reason: Reason): CreationOutcome => ({ problem: problemOf(reason), reason });

  return {
    userHandle,
    knownHandle,

    async begin(binding, { accountId, username, displayName }, automatic) {
      const [{ generateRegistrationOptions }, challenge, handle, existing] = await Promise.all([
        library(),
        challenges.issue(binding, automatic ? 'create-automatically' : 'create'),
        userHandle(accountId),
        store.list(accountId, KIND),
      ]);
      return generateRegistrationOptions({
        rpID: party.id,
        rpName: party.name,
        challenge: Uint8Array.from(Buffer.from(challenge, 'base64url')),
        userID: Uint8Array.from(Buffer.from(handle, 'base64url')),
        userName: username,
        userDisplayName: displayName ?? username,
        timeout: TIMEOUT,
        attestationType: settings.attestation,
        supportedAlgorithmIDs: ALGORITHMS,
        authenticatorSelection: { residentKey: 'required', userVerification: settings.user_verification },
        excludeCredentials: existing.map(passkeyOf).map(({ id, transports }) => ({
          id,
          transports: transports as AuthenticatorTransport[],
        })),
      });
    },

    async finish({ binding, accountId, response: text, userAgent, record: trail }) {
      const read = readRegistration(text);
      if (!read) return refused('malformed');
      const { response, challenge, crossDevice } = read;
      const issued = await challenges.redeem(challenge, binding, ['create', 'create-automatically']);
      if (!issued) return refused('challenge');

      const { verifyRegistrationResponse, SettingsService, decodeAttestationObject } = await library();
      for (const identifier of ATTESTED_FORMATS)
        SettingsService.setRootCertificates({ identifier, certificates: [...trustAnchors] });
      const checked = await verifyRegistrationResponse({
        response,
        expectedChallenge: challenge,
        expectedOrigin: party.origin,
        expectedRPID: party.id,
        expectedType: 'webauthn.create',
        // Nobody is asked for a touch where the browser makes the passkey by itself (§7.1 step 15).
        requireUserPresence: issued.ceremony === 'create',
        requireUserVerification: settings.user_verification === 'required',
        supportedAlgorithmIDs: ALGORITHMS,
      }).catch((error: unknown) => reasonOf(error));
      if (typeof checked === 'string') return refused(checked);
      if (!checked.verified) return refused('attestation');

      const { credential, aaguid, fmt, userVerified, credentialDeviceType, credentialBackedUp } =
        checked.registrationInfo;
      // §7.1 step 26: the id in the response is only a label; the one that was signed counts.
      if (credential.id !== response.id) return refused('malformed');
      // Without a chain to a trusted manufacturer anybody can claim to be any model.
      const chain = decodeAttestationObject(checked.registrationInfo.attestationObject).get('attStmt').get('x5c');
      if (direct && !(ATTESTED_FORMATS.some((format) => format === fmt) && chain?.length))
        return refused('attestation');
      if (direct && !settings.allowed_aaguids.includes(aaguid)) return refused('aaguid');
      const [handle, existing] = await Promise.all([userHandle(accountId), store.list(accountId, KIND)]);
      if (existing.length >= MOST) return refused('limit');

      const now = epochSeconds(clock);
      const data: PasskeyData = {
        userHandle: handle,
        publicKey: Buffer.from(credential.publicKey).toString('base64url'),
        counter: credential.counter,
        transports: credential.transports ?? [],
        aaguid,
        synced: credentialDeviceType === 'multiDevice',
        backedUp: credentialBackedUp,
        userVerified,
        attested: direct,
        // Made on another device than the one that says its name.
        name: nameAmong(existing, providerOf(aaguid) ?? (crossDevice ? undefined : platformOf(userAgent)) ?? 'Passkey'),
      };
      const record: Credential = {
        accountId,
        kind: KIND,
        id: credential.id,
        lookup: credential.id,
        data: JSON.stringify(data),
        version: 1,
        createdAt: now,
        updatedAt: now,
      };
      // §7.1 step 27: an id that anybody registered before stays theirs, and so does one that was made up for
      // a name nobody has: else whoever registers it learns which it was.
      const isTaken = decoys.isDecoy(credential.id) || (await store.findByLookup(KIND, credential.id)) !== undefined;
      if (isTaken) return refused('taken');
      if (!(await store.insert(record, await trail(data.name)))) return refused('taken');
      // Several at once may all have found room.
      if ((await store.list(accountId, KIND)).length > MOST) {
        await store.remove(accountId, KIND, record.id);
        return refused('limit');
      }
      return { created: passkeyOf(record) };
    },
  };
}

/** "Linux 2": several of one provider stay apart. */
function nameAmong(existing: readonly Credential[], name: string): string {
  const taken = new Set(existing.map(passkeyOf).map((passkey) => passkey.name));
  const names = [name, ...Array.from({ length: MOST }, (_, n) => `${name} ${n + 2}`)];
  return names.find((one) => !taken.has(one)) ?? name;
}
