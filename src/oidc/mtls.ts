import { X509Certificate } from 'node:crypto';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Config } from '../config/config.ts';

type Settings = Config['features']['mtls'];

/** Registration metadata of RFC 8705 §2.1.2 and the entry of the certificate it is compared with. */
const SUBJECT_ALTERNATIVE: Readonly<Record<string, string>> = {
  tls_client_auth_san_dns: 'DNS:',
  tls_client_auth_san_uri: 'URI:',
  tls_client_auth_san_ip: 'IP Address:',
  tls_client_auth_san_email: 'email:',
};

/**
 * Mutual TLS (RFC 8705) behind a proxy that terminates TLS and hands the certificate over in a
 * header. The outermost layer of the server drops these headers unless the proxy sent them.
 */
export function mutualTls(settings: Settings) {
  const certificateOf = (ctx: KoaContextWithOIDC): X509Certificate | undefined => {
    const header = ctx.get(settings.certificate_header);
    if (header === '') return undefined;
    try {
      return new X509Certificate(decodeURIComponent(header));
    } catch {
      // Not a certificate: the library answers like to none at all.
      return undefined;
    }
  };
  return {
    enabled: settings.enabled,
    certificateBoundAccessTokens: true,
    selfSignedTlsClientAuth: true,
    tlsClientAuth: true,
    getCertificate: certificateOf,
    certificateAuthorized: (ctx: KoaContextWithOIDC): boolean => ctx.get(settings.verified_header) === 'SUCCESS',
    certificateSubjectMatches(ctx: KoaContextWithOIDC, property: string, expected: string): boolean {
      const certificate = certificateOf(ctx);
      if (!certificate) return false;
      const prefix = SUBJECT_ALTERNATIVE[property];
      if (prefix) return (certificate.subjectAltName ?? '').split(', ').includes(prefix + expected);
      return property === 'tls_client_auth_subject_dn' && sameName(certificate.subject, expected);
    },
  };
}

/** Compares distinguished names part by part: Node gives one a line, RFC 4514 reverses and commas. */
function sameName(subject: string, expected: string): boolean {
  const parts = subject.split('\n').map((part) => part.trim());
  const wanted = expected.split(/(?<!\\),/).map((part) => part.trim());
  const text = (list: string[]): string => list.join('\n');
  return text(parts) === text(wanted) || text(parts) === text(wanted.toReversed());
}
