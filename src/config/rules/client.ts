import type { Path } from '../paths.ts';
import type { ClientFile } from '../schema/client.ts';
import type { ServerSettings } from '../schema/server.ts';
import type { Finding, Rule } from './rule.ts';

/** What a rule about a client file sees. */
export interface ClientSubject {
  readonly client: ClientFile;
  /** Sound only where the rule names what it needs in `readsServer`. */
  readonly server: ServerSettings;
  isLiteral(path: Path): boolean;
}

/** One rule with one outcome: a place, when it is broken, and the sentence. */
export const clientRule = (
  reads: readonly string[],
  path: Path,
  isBroken: (client: ClientFile, server: ServerSettings) => boolean,
  message: string,
  options: { readonly readsServer?: readonly string[]; readonly warning?: true } = {},
): Rule<ClientSubject> => ({
  reads,
  ...(options.readsServer ? { readsServer: options.readsServer } : {}),
  *check({ client, server }): Generator<Finding> {
    if (isBroken(client, server)) yield { path, message, ...(options.warning ? { warning: true } : {}) };
  },
});
