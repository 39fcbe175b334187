import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * @param hostname as `URL.hostname` gives it: in lower case, IPv6 in brackets
 * @returns whether it can only be this machine: `localhost`, 127.0.0.0/8 or ::1
 */
export const isLoopbackHost = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'));

/** @returns whether the address is http(s) on this machine */
export function isLoopbackAddress(address: string): boolean {
  const url = URL.parse(address);
  return url !== null && /^https?:$/.test(url.protocol) && isLoopbackHost(url.hostname);
}

/**
 * @param entries IP addresses and networks such as `10.0.0.0/8`
 * @returns a list that `check(address, family)` can be asked
 * @throws Error with a sentence naming the first entry that is neither
 */
export function networks(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix, ...rest] = entry.split('/');
    const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined;
    const widest = family === 'ipv4' ? 32 : 128;
    const bits = prefix === undefined ? widest : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (!family || rest.length > 0 || !(bits <= widest)) throw new Error('neither an IP address nor a network');
    list.addSubnet(address, bits, family);
  }
  return list;
}
