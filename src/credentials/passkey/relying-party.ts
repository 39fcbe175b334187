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
  /** Where ceremonies may run: this server, and the related origins of the configuration. */
  readonly origins: readonly string[];
  readonly settings: Config['passkeys'];
  /** PEM certificates of the manufacturers that may attest a model. */
  readonly trustAnchors: readonly string[];
}

export function relyingParty({ issuer, branding, passkeys }: Config): RelyingParty {
  return {
    id: passkeys.rp_id ?? new URL(issuer).hostname,
    name: branding.name,
    origins: [...new Set([issuer, ...passkeys.origins])],
    settings: passkeys,
    trustAnchors: passkeys.trust_anchors.map((file) => readFileSync(file, 'utf8')),
  };
}
