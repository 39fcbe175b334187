import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { aaguidBytes } from './authenticator-data.ts';
import { bits, boolean, explicit, integer, octets, oid, printable, sequence, set, utcTime, utf8 } from './der.ts';

/** Fixed, since tests move clocks by years. */
const NOT_BEFORE = new Date('2020-01-01T00:00:00Z');
const NOT_AFTER = new Date('2049-12-31T00:00:00Z');

const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const VERSION_3 = integer(Buffer.from([2]));

type Certificate = Buffer<ArrayBuffer>;

interface Profile {
  readonly name: Buffer;
  readonly publicKey: KeyObject;
  readonly ca: boolean;
  readonly extensions?: readonly Buffer[];
}

/** Who vouches for models of authenticators: a manufacturer's certificate authority. */
export class AttestationAuthority {
  /** DER. What a server trusts, if this is a root. */
  readonly certificate: Certificate;
  readonly #key: KeyObject;
  readonly #name: Buffer;
  readonly #above: AttestationAuthority | undefined;

  /** @param above who vouches for this one: then it is an intermediate authority, else a root */
  constructor(commonName = 'Attestation Test Root', above?: AttestationAuthority) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#key = privateKey;
    this.#name = distinguishedName('Authenticator Attestation CA', commonName);
    this.#above = above;
    this.certificate = (above ?? this).#issue({ name: this.#name, publicKey, ca: true });
  }

  /** For a server's settings. */
  get pem(): string {
    const lines = this.certificate.toString('base64').match(/.{1,64}/g) ?? [];
    return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
  }

  /**
   * A key for a model, and the certificates that vouch for it: the leaf first, the root left out
   * since servers that trust it have it. The leaf meets §8.2.1: version 3, the subject, CA:FALSE,
   * and the AAGUID, which is wrapped in octets twice.
   */
  certify(aaguid: string): { readonly key: KeyObject; readonly chain: readonly Certificate[] } {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const leaf = this.#issue({
      name: distinguishedName('Authenticator Attestation', 'Software Authenticator'),
      publicKey,
      ca: false,
      extensions: [sequence(oid('1.3.6.1.4.1.45724.1.1.4'), octets(octets(aaguidBytes(aaguid))))],
    });
    return { key: privateKey, chain: [leaf, ...this.#intermediates()] };
  }

  #intermediates(): Certificate[] {
    return this.#above ? [this.certificate, ...this.#above.#intermediates()] : [];
  }

  /** RFC 5280 §4.1. */
  #issue({ name, publicKey, ca, extensions = [] }: Profile): Certificate {
    const basicConstraints = sequence(
      oid('2.5.29.19'),
      boolean(true),
      // DER leaves out what is the default, and CA:FALSE is.
      octets(ca ? sequence(boolean(true)) : sequence()),
    );
    const toBeSigned = sequence(
      explicit(0, VERSION_3),
      // Never zero in front, which DER would forbid.
      integer(Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
      ECDSA_WITH_SHA256,
      this.#name,
      sequence(utcTime(NOT_BEFORE), utcTime(NOT_AFTER)),
      name,
      publicKey.export({ type: 'spki', format: 'der' }),
      explicit(3, sequence(basicConstraints, ...extensions)),
    );
    return sequence(toBeSigned, ECDSA_WITH_SHA256, bits(sign('sha256', toBeSigned, this.#key)));
  }
}

/** §8.2.1: country, organisation, unit and name, all of them. */
function distinguishedName(unit: string, commonName: string): Buffer {
  const parts = [
    ['2.5.4.6', printable('FR')],
    ['2.5.4.10', utf8('Vestibule Tests')],
    ['2.5.4.11', utf8(unit)],
    ['2.5.4.3', utf8(commonName)],
  ] as const;
  return sequence(...parts.map(([type, value]) => set(sequence(oid(type), value))));
}
