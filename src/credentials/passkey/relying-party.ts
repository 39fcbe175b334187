import { readFileSync } from 'node:fs';
import type { Config } from '../../config/config.ts';

/** COSE algorithms (RFC 9053), the wished-for first: EdDSA, ES256, RS256 (Windows Hello's). */
export const ALGORITHMS = [-8, -7, -257];

/** Milliseconds a browser may wait for the person; as long as a challenge lives. */
export const TIMEOUT = 300_000;

/** Whom passkeys are made for and used by (WebAuthn Level 3 §4, "relying party"). */
export interface RelyingParty {
  /** A host name: passkeys belong to it, and work on it and the hosts below it. */
  readonly id: string;
  readonly name: string;
  /**
   * Where ceremonies run: on this server's own pages. A response made on a related origin, though it is for
   * the same passkey, answers that site's server; here it could only have been brought by somebody else.
   */
  readonly origin: string;
  readonly settings: Config['passkeys'];
  /** PEM certificates of the manufacturers that may attest a model. */
  readonly trustAnchors: readonly string[];
}

export function relyingParty({ issuer, branding, passkeys }: Config): RelyingParty {
  return {
    id: passkeys.rp_id ?? new URL(issuer).hostname,
    name: branding.name,
    origin: issuer,
    settings: passkeys,
    trustAnchors: passkeys.trust_anchors.map((file) => readFileSync(file, 'utf8')),
  };
}
