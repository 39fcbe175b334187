/**
 * The addresses a page may link or post to: a path here, a query of the same page, or http(s).
 * Escaping alone would let `javascript:…` from a registered client through.
 * @returns '' for anything else
 */
export function safeLink(address: unknown): string {
  if (typeof address !== 'string') return '';
  if (/^(?:\/(?![/\\])|\?)/.test(address)) return address;
  if (!URL.canParse(address)) return '';
  const { protocol } = new URL(address);
  return protocol === 'https:' || protocol === 'http:' ? address : '';
}

/**
 * The address that sets an authenticator app up, for the one page that shows it; `safeLink` refuses it.
 * @returns '' for anything else
 */
export function setupLink(address: unknown): string {
  return typeof address === 'string' && /^otpauth:\/\/totp\/[\x21-\x7e]+$/.test(address) ? address : '';
}
