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

/** Registration metadata for the protocol library: the file without our own block. */
export function toMetadata({ vestibule: _ours, ...file }: ClientFile): ClientMetadata {
  return Object.fromEntries(
    Object.entries(structuredClone(file)).filter(([, value]) => value !== undefined),
  ) as unknown as ClientMetadata;
}

/** Every response type some client may use; discovery lists exactly these. */
export function responseTypes(files: readonly ClientFile[], implicit: boolean): string[] {
  const all = ['code', 'id_token', 'code id_token', 'id_token token', 'code token', 'code id_token token', 'none'];
  const used = new Set<string>(files.flatMap((file) => file.response_types));
  return all.filter((type) => type === 'code' || (implicit && type !== 'none') || used.has(type)).map(sorted);
}

/** The library wants the words of a response type in alphabetical order. */
const sorted = (type: string): string => type.split(' ').sort().join(' ');
