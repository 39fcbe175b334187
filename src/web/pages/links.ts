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
