import type { ProviderFile } from '../../config/schema/provider.ts';
import { PRESET } from './presets.ts';

/**
 * One address and nothing else: no list of them, no name, nothing that a header is made of (security-catalogue: recipient
 * splitting).
 */
const ADDRESS = /^[^\s@,;:<>()[\]"\\\p{C}]{1,64}@[^\s@,;:<>()[\]"\\\p{C}]{1,189}$/u;

/**
 * Whether what a provider says of an e-mail address may link somebody to the account that has it verified, once the
 * operator allows that (`link.automatic_by_email`). The rules about the local account are the caller's.
 *
 * @param claims as mapped, `email_verified` made a boolean: ID token and userinfo never mixed for the two of them
 */
export function isEmailAuthoritative(
  preset: ProviderFile['preset'],
  claims: Readonly<Record<string, unknown>>,
): boolean {
  const { email, email_verified: isVerified, hosted_domain: hosted } = claims;
  if (typeof email !== 'string' || !ADDRESS.test(email) || isVerified !== true) return false;
  switch (PRESET[preset].emailAuthority) {
    case 'verified':
      return true;
    // The domain of the address must be one the provider itself hosts.
    case 'hosted':
      return /@gmail\.com$/i.test(email) || (typeof hosted === 'string' && hosted !== '');
    case 'never':
      return false;
  }
}
