import type { ClientFile } from './schema/client.ts';
import type { ProviderFile } from './schema/provider.ts';
import type { ServerSettings } from './schema/server.ts';

/** Everything the files said, validated, secrets resolved, paths absolute. Frozen at load. */
export interface Config extends Omit<ServerSettings, 'master_key'> {
  /** Folder the files were read from; absolute. */
  readonly directory: string;
  /** 32-byte keys, base64; the first seals, all open. Never empty. */
  readonly masterKeys: readonly string[];
  readonly clients: readonly ClientFile[];
  /** External providers, in the order of their buttons; the disabled ones as well. */
  readonly providers: readonly ProviderFile[];
}
