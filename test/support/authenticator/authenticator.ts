import { createHash, randomBytes } from 'node:crypto';
import type {
  AuthenticationResponseJSON,
  AuthenticatorAttachment,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import { isoCBOR } from '@simplewebauthn/server/helpers';
import type { AttestationAuthority } from './attestation-authority.ts';
import { type AttestedCredential, encodeAuthenticatorData, flipReservedFlag } from './authenticator-data.ts';
import { canMake, encodeCoseKey, generateKeys, signWith } from './keys.ts';
import type { StoredCredential } from './stored-credential.ts';
import type { AssertionTamper, CreationTamper, Tamper } from './tamper.ts';

/** `self`: signed with the credential's own key; an authority: with a key and certificates from it (§6.5.3). */
export type Attestation = 'none' | 'self' | AttestationAuthority;

export interface AuthenticatorOptions {
  /** Of the page that asks. */
  readonly origin: string;
  /** Its model, a UUID; zeros say nothing. */
  readonly aaguid?: string;
  /** A passkey that is on all devices of its person: backup eligible and backed up. */
  readonly synced?: boolean;
  /** Has a fingerprint reader or a PIN; yes, unless said. */
  readonly verifiesUser?: boolean;
  readonly attachment?: AuthenticatorAttachment;
  readonly transports?: readonly string[];
  /** Whether it counts signatures; as a rule what is synced can't. */
  readonly counts?: boolean;
  /** COSE identifier of the one algorithm it knows: -7, -8, -35, -36 or -257. All of them, unless said. */
  readonly algorithm?: number;
  /** Sent when a server asks for it. */
  readonly attestation?: Attestation;
}

const NO_AAGUID = '00000000-0000-0000-0000-000000000000';
const ES256 = -7;

type Bytes = Buffer<ArrayBuffer>;
type Statement = Map<string, number | Uint8Array | Uint8Array[]>;

/** What was signed, and how it looks after tampering. */
interface Parts {
  readonly authenticatorData: Bytes;
  readonly clientData: Bytes;
  readonly signature: Bytes;
}

export class SoftwareAuthenticator {
  readonly #options: Required<AuthenticatorOptions>;
  #credentials: readonly StoredCredential[] = [];

  constructor(options: AuthenticatorOptions) {
    const { synced = false, attachment = 'platform' } = options;
    const near = synced ? ['hybrid', 'internal'] : ['internal'];
    this.#options = {
      aaguid: NO_AAGUID,
      verifiesUser: true,
      transports: attachment === 'platform' ? near : ['usb'],
      counts: !synced,
      algorithm: 0,
      attestation: 'none',
      ...options,
      synced,
      attachment,
    };
  }

  /** The oldest first. */
  get credentials(): readonly StoredCredential[] {
    return this.#credentials;
  }

  /** As a person does in the settings of the device; the server learns nothing of it. */
  forget(id: string): void {
    this.#credentials = this.#credentials.filter((credential) => credential.id !== id);
  }

  /** `navigator.credentials.create()`, §5.1.3 and §6.3.2: makes a credential and remembers it. */
  async create(
    options: PublicKeyCredentialCreationOptionsJSON,
    tamper: CreationTamper = {},
  ): Promise<RegistrationResponseJSON> {
    const rpId = this.#checkedRpId(options.rp.id);
    this.#checkSelection(options);
    const held = options.excludeCredentials?.some(({ id }) => this.#credentials.some((own) => own.id === id));
    // Who chooses its credential id does so to collide with one.
    if (held && tamper.credentialId === undefined)
      throw refusal('InvalidStateError', 'it holds an excluded credential');
    const algorithm = tamper.algorithm ?? this.#chooseAlgorithm(options);
    const { publicKey, privateKey } = generateKeys(algorithm);
    const credential: StoredCredential = {
      id: tamper.credentialId ?? randomBytes(32).toString('base64url'),
      rpId,
      userHandle: options.user.id,
      userName: options.user.name,
      algorithm,
      privateKey,
      // §6.1.1: the first assertion is the first signature that counts.
      counter: 0,
    };

    const clientData = encodeClientData('webauthn.create', options.challenge, this.#options.origin, tamper);
    const authenticatorData = this.#authenticatorData(credential, tamper, {
      aaguid: tamper.aaguid ?? this.#options.aaguid,
      id: Buffer.from(credential.id, 'base64url'),
      publicKey: encodeCoseKey(publicKey, algorithm),
    });
    const attestation = tamper.attestation ?? this.#conveyed(options.attestation);
    if (attestation === 'none' && tamper.altered) throw new Error('nothing is signed without attestation');
    const { signature, chain } = this.#attest(attestation, credential, signedBytes(authenticatorData, clientData));
    const sent = alter({ authenticatorData, clientData, signature }, tamper.altered);
    const statement: Statement = new Map();
    if (attestation !== 'none') statement.set('alg', chain ? ES256 : algorithm).set('sig', sent.signature);
    if (chain) statement.set('x5c', [...chain]);
    if (tamper.excess?.attestationStatement) statement.set('excess', randomBytes(tamper.excess.attestationStatement));
    const object = isoCBOR.encode(
      new Map<string, string | Uint8Array | Statement>([
        ['fmt', attestation === 'none' ? 'none' : 'packed'],
        ['attStmt', statement],
        ['authData', sent.authenticatorData],
      ]),
    );

    this.forget(credential.id);
    this.#credentials = [...this.#credentials, credential];
    const id = tamper.id ?? credential.id;
    return {
      id,
      rawId: id,
      type: 'public-key',
      authenticatorAttachment: this.#options.attachment,
      // Every credential here is discoverable (§10.1.3), which is told to those who ask.
      clientExtensionResults: options.extensions?.credProps ? { credProps: { rk: true } } : {},
      response: {
        clientDataJSON: sent.clientData.toString('base64url'),
        attestationObject: Buffer.concat([object, randomBytes(tamper.excess?.attestationObject ?? 0)]).toString(
          'base64url',
        ),
        authenticatorData: sent.authenticatorData.toString('base64url'),
        publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64url'),
        publicKeyAlgorithm: algorithm,
        transports: [...this.#options.transports],
      },
    };
  }

  /** `navigator.credentials.get()`, §5.1.4 and §6.3.3; of several credentials the person takes the newest. */
  async get(
    options: PublicKeyCredentialRequestOptionsJSON,
    tamper: AssertionTamper = {},
  ): Promise<AuthenticationResponseJSON> {
    const rpId = this.#checkedRpId(options.rpId);
    this.#checkVerification(options.userVerification);
    const allowed = options.allowCredentials ?? [];
    const used = this.#use(
      (own) => own.rpId === rpId && (allowed.length === 0 || allowed.some(({ id }) => id === own.id)),
    );
    if (!used) throw refusal('NotAllowedError', `it has no credential for ${rpId} that is allowed`);

    const clientData = encodeClientData('webauthn.get', options.challenge, this.#options.origin, tamper);
    const authenticatorData = this.#authenticatorData(used, tamper);
    const signer = tamper.signedBy ?? used;
    const signature = signWith(signer.algorithm, signer.privateKey, signedBytes(authenticatorData, clientData));
    const sent = alter({ authenticatorData, clientData, signature }, tamper.altered);
    const id = tamper.id ?? used.id;
    const userHandle = tamper.userHandle === undefined ? used.userHandle : tamper.userHandle;
    return {
      id,
      rawId: id,
      type: 'public-key',
      authenticatorAttachment: this.#options.attachment,
      clientExtensionResults: {},
      response: {
        clientDataJSON: sent.clientData.toString('base64url'),
        authenticatorData: sent.authenticatorData.toString('base64url'),
        signature: sent.signature.toString('base64url'),
        ...(userHandle === null ? {} : { userHandle }),
      },
    };
  }

  /** The newest of those that fit, counted (§6.1.1). */
  #use(fits: (own: StoredCredential) => boolean): StoredCredential | undefined {
    const found = this.#credentials.findLast(fits);
    if (!found || !this.#options.counts) return found;
    const used = { ...found, counter: found.counter + 1 };
    this.#credentials = this.#credentials.map((own) => (own === found ? used : own));
    return used;
  }

  /** §5.1.3 and §5.1.4. What keeps passkeys from phishing: a page gets those of its own domain only. */
  #checkedRpId(asked: string | undefined): string {
    const { hostname } = new URL(this.#options.origin);
    const rpId = asked ?? hostname;
    if (hostname !== rpId && !hostname.endsWith(`.${rpId}`))
      throw refusal('SecurityError', `${this.#options.origin} may not ask for credentials of ${rpId}`);
    return rpId;
  }

  /** §5.4.4. */
  #checkSelection({ authenticatorSelection: wanted }: PublicKeyCredentialCreationOptionsJSON): void {
    const { attachment } = this.#options;
    if (wanted?.authenticatorAttachment && wanted.authenticatorAttachment !== attachment)
      throw refusal('NotAllowedError', `it is ${attachment}, not ${wanted.authenticatorAttachment}`);
    this.#checkVerification(wanted?.userVerification);
  }

  #checkVerification(wanted: string | undefined): void {
    if (wanted === 'required' && !this.#options.verifiesUser)
      throw refusal('NotAllowedError', 'it cannot verify its user');
  }

  /** §6.3.2: servers name them in the order they like them. */
  #chooseAlgorithm({ pubKeyCredParams }: PublicKeyCredentialCreationOptionsJSON): number {
    const { algorithm } = this.#options;
    const chosen = pubKeyCredParams.find(({ alg }) => (algorithm === 0 ? canMake(alg) : alg === algorithm));
    if (!chosen) throw refusal('NotSupportedError', 'it knows no algorithm that is asked for');
    return chosen.alg;
  }

  /**
   * What the browser passes on, §5.1.3: to a server that wants none only a self attestation which
   * names no model. Unlike in earlier levels the AAGUID stays in the authenticator data.
   */
  #conveyed(wanted = 'none'): Attestation {
    const { attestation, aaguid } = this.#options;
    return wanted !== 'none' || (attestation === 'self' && aaguid === NO_AAGUID) ? attestation : 'none';
  }

  /** §8.2. */
  #attest(
    attestation: Attestation,
    { algorithm, privateKey }: StoredCredential,
    bytes: Bytes,
  ): { readonly signature: Bytes; readonly chain?: readonly Bytes[] } {
    if (attestation === 'none') return { signature: Buffer.alloc(0) };
    if (attestation === 'self') return { signature: signWith(algorithm, privateKey, bytes) };
    const { key, chain } = attestation.certify(this.#options.aaguid);
    return { signature: signWith(ES256, key, bytes), chain };
  }

  #authenticatorData({ rpId, counter }: StoredCredential, tamper: Tamper, attested?: AttestedCredential): Bytes {
    const { synced, verifiesUser } = this.#options;
    const data = encodeAuthenticatorData({
      rpId: tamper.rpId ?? rpId,
      flags: { up: true, uv: verifiesUser, be: synced, bs: synced, at: attested !== undefined, ...tamper.flags },
      counter: tamper.counter ?? counter,
      ...(attested && { attested }),
    });
    return Buffer.concat([data, randomBytes(tamper.excess?.authenticatorData ?? 0)]);
  }
}

/** Collected client data, its members in the order of §5.8.1.1. */
function encodeClientData(type: string, challenge: string, origin: string, tamper: Tamper): Bytes {
  const members = {
    type: tamper.type ?? type,
    challenge: tamper.challenge ?? challenge,
    origin: tamper.origin ?? origin,
    crossOrigin: tamper.crossOrigin ?? false,
    topOrigin: tamper.topOrigin,
    excess: tamper.excess?.clientData && 'x'.repeat(tamper.excess.clientData),
  };
  return Buffer.from(JSON.stringify(members));
}

/** §6.3.3 and §8.2: the same for assertions and attestations. */
const signedBytes = (authenticatorData: Bytes, clientData: Bytes): Bytes =>
  Buffer.concat([authenticatorData, createHash('sha256').update(clientData).digest()]);

function alter(parts: Parts, altered: Tamper['altered']): Parts {
  const { authenticatorData, clientData, signature } = parts;
  switch (altered) {
    case 'authenticatorData':
      return { ...parts, authenticatorData: flipReservedFlag(authenticatorData) };
    case 'clientData':
      return { ...parts, clientData: Buffer.concat([clientData, Buffer.from(' ')]) };
    case 'signature':
      return { ...parts, signature: Buffer.concat([signature.subarray(0, -1), flipLowest(signature.at(-1))]) };
    case undefined:
      return parts;
  }
}

/** In the last byte of a signature, where it is a signature of the same form still, but another. */
const flipLowest = (byte = 0): Bytes => Buffer.from([byte ^ 1]);

/** As the page's script sees it. */
const refusal = (name: string, why: string): DOMException =>
  new DOMException(`the authenticator refuses: ${why}`, name);
