import { isLoopbackAddress } from '../loopback.ts';
import type { ClientFile } from '../schema/client.ts';
import { type ClientSubject, clientRule } from './client.ts';
import type { Finding, Rule } from './rule.ts';

/** Schemes that run or show something instead of returning to an application. */
const DANGEROUS = /^(javascript|vbscript|data|blob|file|about):/i;

/** @returns what is wrong with an address people are sent back to, or undefined */
function returnFault(address: string, application: ClientFile['application_type']): string | undefined {
  const { protocol } = new URL(address);
  if (protocol === 'http:') {
    // A code sent over plain http can be read on the way (RFC 6749 §3.1.2.1).
    return isLoopbackAddress(address) ? undefined : 'must begin with https://; plain http is only for a loopback host';
  }
  if (protocol === 'https:') {
    const isClaimed = application === 'web' || !isLoopbackAddress(address);
    return isClaimed
      ? undefined
      : 'must not be https on a loopback host: native applications use http there (RFC 8252 §7.3)';
  }
  if (application === 'web') return 'must begin with https:// (other schemes are for application_type: native)';
  // A scheme with a domain in it is less likely claimed by another application as well.
  const isPrivateUse = protocol.includes('.') && !DANGEROUS.test(address);
  return isPrivateUse
    ? undefined
    : 'must use https or a private-use scheme with a dot, such as com.portal.app:/callback (RFC 8252 §7.1)';
}

function returnAddresses(name: 'redirect_uris' | 'post_logout_redirect_uris'): Rule<ClientSubject> {
  return {
    reads: [`${name}[]`, 'application_type'],
    *check({ client }): Generator<Finding> {
      for (const [index, address] of client[name].entries()) {
        const message = returnFault(address, client.application_type);
        if (message) yield { path: [name, index], message };
      }
    },
  };
}

/** Addresses this server fetches from or posts to: whoever answers there is believed. */
const fetched = (name: 'jwks_uri' | 'backchannel_logout_uri') =>
  clientRule(
    [name],
    [name],
    ({ [name]: address }) => address !== undefined && !address.startsWith('https:') && !isLoopbackAddress(address),
    'must begin with https://; plain http is only for a loopback host',
  );

/** Registration metadata that OpenID Connect allows over https only. */
const httpsOnly = (name: 'sector_identifier_uri' | 'initiate_login_uri') =>
  clientRule(
    [name],
    [name],
    ({ [name]: address }) => address !== undefined && !address.startsWith('https:'),
    'must begin with https:// (OpenID Connect Registration §2)',
  );

const hosts = (addresses: readonly string[]): number => new Set(addresses.map((address) => new URL(address).host)).size;

export const clientAddressRules: readonly Rule<ClientSubject>[] = [
  returnAddresses('redirect_uris'),
  returnAddresses('post_logout_redirect_uris'),
  fetched('jwks_uri'),
  fetched('backchannel_logout_uri'),
  httpsOnly('sector_identifier_uri'),
  httpsOnly('initiate_login_uri'),
  clientRule(
    ['redirect_uris', 'subject_type', 'sector_identifier_uri'],
    ['sector_identifier_uri'],
    ({ subject_type, redirect_uris, sector_identifier_uri }) =>
      subject_type === 'pairwise' && sector_identifier_uri === undefined && hosts(redirect_uris) > 1,
    'is missing: pairwise subjects with redirect URIs on several hosts need it (OpenID Connect Core §8.1)',
  ),
];
