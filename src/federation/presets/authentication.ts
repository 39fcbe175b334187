import type { ProviderFile } from '../../config/schema/provider.ts';
import type { ClientAuthentication } from '../upstream.ts';
import { type Facts, methodOf } from './preset.ts';

/** How we prove ourselves to the upstream. What is missing for it is found by `faultsOf`. */
export function authenticationOf(file: ProviderFile, { methods, assertion }: Facts): ClientAuthentication {
  if (file.preset === 'apple') {
    const { team_id: teamId = '', key_id: keyId = '', private_key: privateKey = '' } = file;
    return { method: 'apple', teamId, keyId, privateKey };
  }
  const method = methodOf(file, methods) ?? 'private_key_jwt';
  if (method !== 'private_key_jwt') return { method, secret: file.client_secret ?? '' };
  return {
    method,
    alg: file.token_endpoint_auth_signing_alg ?? assertion.alg,
    audience: file.client_assertion_audience ?? assertion.audience,
  };
}
