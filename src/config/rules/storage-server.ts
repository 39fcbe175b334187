import type { Path } from '../paths.ts';
import type { Finding } from './rule.ts';

/** @returns whether an address says more than a user name before the host */
export const hasPassword = (url: string): boolean => /:\/\/[^/]*:[^/@]+@/.test(url);

/** A certificate is nothing without its key. */
export function* checkTls(
  tls: { readonly cert?: string | undefined; readonly key?: string | undefined } | undefined,
  path: Path,
): Generator<Finding> {
  if (tls && (tls.cert === undefined) !== (tls.key === undefined))
    yield { path, message: 'needs cert and key, or neither' };
}
