import type { Asset, Assets, Encodings } from './assets.ts';

export interface AssetResponse {
  readonly status: 200 | 304 | 404;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent for 304 and 404. */
  readonly body?: Buffer;
}

/**
 * The answer to a GET or HEAD below `/assets/`: kept for a year, because the address changes with
 * the content; the smallest encoding the browser takes; nothing in it may run on its own.
 */
export async function respondWithAsset(
  assets: Assets,
  request: { path: string; acceptEncoding?: string | undefined; ifNoneMatch?: string | undefined },
): Promise<AssetResponse> {
  const asset = assets.find(request.path);
  if (!asset) return { status: 404, headers: { 'cache-control': 'no-store' } };
  const { body, encoding } = pickEncoding(asset, await asset.encodings(), request.acceptEncoding ?? '');
  // Each encoding is a representation of its own, so it has a tag of its own (RFC 9110 §8.8.3.3).
  const etag = encoding ? `${asset.etag.slice(0, -1)}-${encoding}"` : asset.etag;
  const headers = {
    'cache-control': 'public, max-age=31536000, immutable',
    etag,
    vary: 'accept-encoding',
    // An SVG opened by itself is a document of our origin: it gets no script and no origin.
    'content-security-policy': "default-src 'none'; sandbox",
    'cross-origin-resource-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
  };
  const known = (request.ifNoneMatch ?? '').split(',', 20).map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(etag) || known.includes('*')) return { status: 304, headers };
  return {
    status: 200,
    headers: {
      ...headers,
      'content-type': asset.type,
      'content-length': String(body.length),
      ...(encoding && { 'content-encoding': encoding }),
    },
    body,
  };
}

function pickEncoding(
  { body }: Asset,
  { brotli, gzip }: Encodings,
  accepted: string,
): { body: Buffer; encoding?: 'br' | 'gzip' } {
  const names = accepted
    .slice(0, 500)
    .split(',')
    .filter((part) => !/;\s*q=0(?:\.0*)?\s*$/.test(part))
    .map((part) => part.split(';')[0]?.trim().toLowerCase());
  if (brotli && names.includes('br')) return { body: brotli, encoding: 'br' };
  if (gzip && names.includes('gzip')) return { body: gzip, encoding: 'gzip' };
  return { body };
}
