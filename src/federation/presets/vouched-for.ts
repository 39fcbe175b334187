import { isLoopbackAddress } from '../../config/index.ts';
import type { ProviderFile } from '../../config/schema/provider.ts';
import type { Upstream } from '../upstream.ts';

/**
 * Origins at which an upstream may be reached though they are private (`createGuardedFetch`): what the operator said is in
 * the own network, and what can't be anywhere else. Nothing that an upstream's metadata names is among them.
 */
export function vouchedFor(file: ProviderFile, { issuer, discoveryUrl }: Upstream): string[] {
  const addresses = [issuer, ...(discoveryUrl === undefined ? [] : [discoveryUrl])];
  const reachable = addresses.filter((address) => file.private_network || isLoopbackAddress(address));
  return [...new Set(reachable.map((address) => new URL(address).origin))];
}
