import type { ClientMetadata } from 'oidc-provider';
import type { ClientFile, ClientSettings } from '../config/schema/client.ts';
import { vestibuleClient } from '../config/schema/client.ts';

/** Our own settings by client. They never travel through the protocol library, so that no
 *  registration request can set them (security-catalogue: mass assignment). */
export interface ClientRegistry {
  settings(clientId: string): ClientSettings;
  /** The file of a client; dynamically registered ones have none. */
  file(clientId: string): ClientFile | undefined;
}

export function createClientRegistry(files: readonly ClientFile[]): ClientRegistry {
  const byId = new Map(files.map((file) => [file.client_id, file]));
  // A dynamically registered client is a stranger: third party, PKCE required.
  const stranger = vestibuleClient.parse({});
  return {
    settings: (clientId) => byId.get(clientId)?.vestibule ?? stranger,
    file: (clientId) => byId.get(clientId),
  };
}

/**
 * Registration metadata for the protocol library: the file without our own block, and without what
 * the library would refuse though we can do it. Levels of assurance are ours (`policy.ts`).
 * @param scopes those of OpenID Connect; the ones of APIs are ours (`features.ts`)
 */
export function toMetadata(
  { vestibule, default_acr_values: _demanded, scope, ...file }: ClientFile,
  scopes: readonly string[],
): ClientMetadata {
  const mayAsk = scope?.split(' ').filter((name) => scopes.includes(name));
  const metadata = {
    ...structuredClone(file),
    // Empty would mean all of them.
    scope: mayAsk && (mayAsk.join(' ') || 'openid'),
    ...(vestibule.fapi ? fapi(file) : {}),
  };
  return Object.fromEntries(
    Object.entries(metadata).filter(([, value]) => value !== undefined),
  ) as unknown as ClientMetadata;
}

/** What FAPI 2.0 (§5.3.2.2, §5.3.2.1) demands and the library's profile leaves to the client's metadata. */
const fapi = (file: Partial<ClientFile>): Partial<ClientFile> => ({
  require_pushed_authorization_requests: true,
  dpop_bound_access_tokens: file.tls_client_certificate_bound_access_tokens !== true,
});

/** Every response type some client may use; discovery lists exactly these. */
export function responseTypes(files: readonly ClientFile[], implicit: boolean): string[] {
  const all = ['code', 'id_token', 'code id_token', 'id_token token', 'code token', 'code id_token token', 'none'];
  const used = new Set<string>(files.flatMap((file) => file.response_types));
  return all.filter((type) => type === 'code' || (implicit && type !== 'none') || used.has(type)).map(sorted);
}

/** The library wants the words of a response type in alphabetical order. */
const sorted = (type: string): string => type.split(' ').sort().join(' ');
