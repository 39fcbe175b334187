import type { ProviderFile } from '../../config/schema/provider.ts';
import { discover, FETCH_TIMEOUT } from '../discovery.ts';
import { UpstreamError } from '../errors.ts';
import { createGuardedFetch, type UpstreamFetch } from '../guarded-fetch.ts';
import type { Upstream } from '../upstream.ts';
import { type SupportFinding, supportFindings } from './support.ts';
import { vouchedFor } from './vouched-for.ts';

/**
 * Fetches an upstream's metadata as the server would and compares what is configured with it.
 *
 * @param fetch stands in for the network; the answer is awaited five seconds
 * @returns what is not supported; one finding alone when there is no metadata to compare with
 */
export async function checkOnline(
  file: ProviderFile,
  upstream: Upstream,
  fetch: UpstreamFetch = createGuardedFetch(vouchedFor(file, upstream)),
): Promise<SupportFinding[]> {
  try {
    const { document } = await discover(upstream, fetch, FETCH_TIMEOUT);
    return supportFindings(upstream, document);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const hint =
      error.reason === 'address' && !file.private_network ? '. In your own network: private_network: true' : '';
    const setting = file.discovery_url !== undefined ? 'discovery_url' : 'issuer';
    return [{ path: [setting], message: `metadata can’t be used: ${error.message}${hint}`, breaks: true }];
  }
}
