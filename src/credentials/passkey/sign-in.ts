import { generateKeyPairSync } from 'node:crypto';
import type { AuthenticatorTransport, PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server';
import { type Clock, epochSeconds } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { CredentialStore } from '../../storage/ports.ts';
import type { Challenges } from './challenges.ts';
import type { Decoys } from './decoys.ts';
import { problemOf, type Reason, reasonOf } from './failure.ts';
import { library } from './library.ts';
import { KIND, methodsOf, type Passkey, passkeyOf, withData } from './record.ts';
import { type RelyingParty, TIMEOUT } from './relying-party.ts';
import { readAssertion } from './responses.ts';

/** Whose passkey is asked for: a person's, that of a name nobody has, or anybody's (chosen in the browser). */
export type Wanted = { readonly accountId: string } | { readonly nobody: string } | 'anybody';

export interface Assertion {
  /** Interaction it answers. */
  readonly binding: string;
  /** The account it must belong to; `undefined` for a name nobody has. Left out: whoever chose one. */
  readonly owner?: { readonly accountId: string | undefined };
  /** Whether fingerprint, face or PIN is demanded, whatever the settings say. */
  readonly verified: boolean;
  /** JSON of the browser's response. */
  readonly response: string;
}

export type SignInOutcome =
  | {
      readonly proven: true;
      readonly accountId: string;
      /** RFC 8176. */
      readonly amr: readonly string[];
      readonly attested: boolean;
      /** The passkey of another device was used: this one may not have one yet. */
      readonly crossDevice: boolean;
    }
  | { readonly proven: false; readonly problem: string; readonly reason: Reason; readonly accountId?: string };

export interface SignIn {
  begin(binding: string, wanted: Wanted, verified: boolean): Promise<PublicKeyCredentialRequestOptionsJSON>;
  /** Checks an assertion as WebAuthn Level 3 §7.2 asks, every step of it. */
  verify(assertion: Assertion): Promise<SignInOutcome>;
}

export function createSignIn(deps: {
  store: CredentialStore;
  challenges: Challenges;
  decoys: Decoys;
  party: RelyingParty;
  clock: Clock;
  logger: Logger;
}): SignIn {
  const { store, challenges, decoys, party, clock, logger } = deps;
  const nobodys = nobodysKey();

  const allowedFor = async (wanted: Wanted): Promise<{ id: string; transports: string[] }[]> => {
    if (wanted === 'anybody') return [];
    const accountId = 'accountId' in wanted ? wanted.accountId : 'nobody';
    const passkeys = (await store.list(accountId, KIND)).map(passkeyOf);
    // Made, and thrown away, for whoever has passkeys as well: the answer takes the same time for every name.
    const madeUp = decoys.passkeys('accountId' in wanted ? wanted.accountId : wanted.nobody);
    return 'accountId' in wanted && passkeys.length > 0 ? passkeys : madeUp;
  };

  const refused = (reason: Reason, accountId?: string): SignInOutcome => ({
    proven: false,
    problem: problemOf(reason),
    reason,
    ...(accountId === undefined ? {} : { accountId }),
  });

  /** Only a passkey that was ours may be called deleted; of the others nobody learns whether they exist. */
  const missing = (credentialId: string, owner: Assertion['owner']): Reason =>
    owner || decoys.isDecoy(credentialId) ? 'other_account' : 'unknown_credential';

  return {
    async begin(binding, wanted, verified) {
      const allowed = await allowedFor(wanted);
      const [{ generateAuthenticationOptions }, challenge] = await Promise.all([
        library(),
        challenges.issue(
          binding,
          'sign-in',
          allowed.map(({ id }) => id),
        ),
      ]);
      return generateAuthenticationOptions({
        rpID: party.id,
        challenge: Uint8Array.from(Buffer.from(challenge, 'base64url')),
        allowCredentials: allowed.map(({ id, transports }) => ({
          id,
          transports: transports as AuthenticatorTransport[],
        })),
        timeout: TIMEOUT,
        userVerification: verified ? 'required' : party.settings.user_verification,
      });
    },

    async verify({ binding, owner, verified, response: text }) {
      const read = readAssertion(text);
      if (!read) return refused('malformed');
      const { response, challenge, crossDevice } = read;
      // Used up before anything else is looked at: one challenge, one try (replay).
      const issued = await challenges.redeem(challenge, binding, ['sign-in']);
      if (!issued) return refused('challenge');

      const found = await store.findByLookup(KIND, response.id);
      const asked = issued.allowed.length === 0 || issued.allowed.includes(response.id);
      const mine = found && asked && (owner === undefined || owner.accountId === found.accountId) ? found : undefined;
      const passkey = mine && passkeyOf(mine);
      const { verifyAuthenticationResponse } = await library();
      const checked = await verifyAuthenticationResponse({
        response,
        expectedChallenge: challenge,
        expectedOrigin: party.origin,
        expectedRPID: party.id,
        expectedType: 'webauthn.get',
        requireUserVerification: verified || party.settings.user_verification === 'required',
        credential: {
          id: response.id,
          publicKey: passkey ? Uint8Array.from(Buffer.from(passkey.publicKey, 'base64url')) : nobodys,
          // The library can only refuse a counter that went back; here the settings decide.
          counter: 0,
        },
      }).catch((error: unknown) => reasonOf(error));

      // Checked before the signature and told in words of its own: of real and made-up passkeys alike.
      if (checked === 'user_verification') return refused(checked, passkey?.accountId ?? owner?.accountId);
      if (!mine || !passkey) return refused(missing(response.id, owner), owner?.accountId);
      if (typeof checked === 'string') return refused(checked, passkey.accountId);
      if (!checked.verified) return refused('signature', passkey.accountId);

      // §7.2 step 6: without a name, the user handle must be that of the passkey's owner.
      const handle = response.response.userHandle;
      if (handle === undefined ? owner === undefined : handle !== passkey.userHandle)
        return refused('user_handle', passkey.accountId);
      const { newCounter, userVerified, credentialDeviceType, credentialBackedUp } = checked.authenticationInfo;
      // §6.1.3: whether it can be synced never changes; another answer is another authenticator.
      if ((credentialDeviceType === 'multiDevice') !== passkey.synced)
        return refused('backup_eligibility', passkey.accountId);

      // §7.2 step 22: a counter that doesn't grow may mean a copied key.
      if ((newCounter > 0 || passkey.counter > 0) && newCounter <= passkey.counter) {
        const { counter_regression: policy } = party.settings;
        logger.warn({ event: 'passkey.counter_regression', account: passkey.accountId, policy });
        if (policy === 'refuse') return refused('counter', passkey.accountId);
      }
      const used: Passkey = {
        ...passkey,
        counter: newCounter,
        backedUp: credentialBackedUp,
        userVerified: passkey.userVerified || userVerified,
        lastUsedAt: epochSeconds(clock),
      };
      // Deleted or used elsewhere meanwhile: what was checked no longer holds.
      if (!(await store.replace(withData(mine, used, epochSeconds(clock)), mine.version)))
        return refused('challenge', passkey.accountId);
      return {
        proven: true,
        accountId: passkey.accountId,
        amr: methodsOf(passkey, userVerified),
        attested: passkey.attested,
        crossDevice: crossDevice && passkey.transports.includes('hybrid'),
      };
    },
  };
}

/**
 * Checked in the place of a passkey that isn't there, so that the answer takes the same time: a P-256
 * key as COSE_Key (RFC 9053 §7.1.1) whose private part is forgotten at once.
 */
function nobodysKey(): Uint8Array<ArrayBuffer> {
  const { x = '', y = '' } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  const coordinate = (text: string) => Buffer.from(text, 'base64url').toString('hex');
  return Uint8Array.from(Buffer.from(`a5010203262001215820${coordinate(x)}225820${coordinate(y)}`, 'hex'));
}
