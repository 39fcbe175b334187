import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isLoopbackAddress } from '../loopback.ts';
import { readFailure } from '../yaml-file.ts';
import type { Finding, Rule, ServerSubject } from './rule.ts';

const isSameOrParent = (domain: string, host: string): boolean => host === domain || host.endsWith(`.${domain}`);

function certificateFault(file: string): string | undefined {
  try {
    new X509Certificate(readFileSync(file));
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).syscall ? readFailure(error) : 'holds no PEM certificate';
  }
}

/** Whom passkeys belong to, and which are accepted. */
export const passkeyRules: readonly Rule<ServerSubject>[] = [
  // Browsers refuse a ceremony for a host that has nothing to do with the page's (WebAuthn §5.1.3).
  {
    reads: ['issuer', 'passkeys'],
    *check({ settings: { issuer, passkeys } }) {
      const { rp_id: id, origins } = passkeys;
      if (id === undefined) return;
      const path = ['passkeys', 'rp_id'];
      if (!id.includes('.') && id !== 'localhost') {
        yield { path, message: 'must be a whole host name, such as example.org: a top-level domain belongs to nobody' };
      } else if (!isSameOrParent(id, new URL(issuer).hostname) && !origins.includes(issuer)) {
        yield {
          path,
          message:
            'is neither the host of the issuer nor a parent domain of it: name the issuer in passkeys.origins, and have this host serve /.well-known/webauthn',
        };
      }
    },
  },
  {
    reads: ['passkeys.origins[]'],
    *check({ settings: { passkeys } }): Generator<Finding> {
      for (const [index, address] of passkeys.origins.entries()) {
        if (!address.startsWith('https:') && !isLoopbackAddress(address)) {
          yield {
            path: ['passkeys', 'origins', index],
            message: 'must begin with https://: browsers have no passkeys on plain http',
          };
        }
      }
    },
  },
  {
    reads: ['passkeys'],
    *check({ settings: { passkeys } }): Generator<Finding> {
      const { attestation, allowed_aaguids, trust_anchors } = passkeys;
      for (const name of ['allowed_aaguids', 'trust_anchors'] as const) {
        const isEmpty = passkeys[name].length === 0;
        // An attested model that nobody vouches for, or no model at all, would pass or stop everybody.
        if (attestation === 'direct' && isEmpty)
          yield { path: ['passkeys', name], message: 'is missing: passkeys.attestation: direct needs it' };
        if (attestation === 'none' && !isEmpty)
          yield { path: ['passkeys', name], message: 'has no effect without passkeys.attestation: direct' };
      }
      if (allowed_aaguids.includes('00000000-0000-0000-0000-000000000000'))
        yield {
          path: ['passkeys', 'allowed_aaguids'],
          message: 'must not hold the AAGUID of zeros: it names no model',
        };
      for (const [index, file] of trust_anchors.entries()) {
        const fault = certificateFault(file);
        if (fault) yield { path: ['passkeys', 'trust_anchors', index], message: fault };
      }
    },
  },
];
