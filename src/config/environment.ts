import { isLoopbackHost } from './loopback.ts';
import { valueAt } from './paths.ts';
import type { Source } from './source.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const MASTER_KEY = 'VESTIBULE_MASTER_KEY';

/** @returns the folder of the configuration: `VESTIBULE_CONFIG`, or `config` in the current folder */
export const configDirectory = (environment: Environment = process.env): string =>
  environment.VESTIBULE_CONFIG || 'config';

/** A port as text becomes a number; anything else stays text, so that the schema refuses it. */
const portOf = (text: string): number | string => (/^\d{1,5}$/.test(text) ? Number(text) : text);

/** @returns the issuer on the new port, when it is the loopback address of the old one */
function issuerOnPort(issuer: unknown, oldPort: unknown, newPort: number): string | undefined {
  if (typeof issuer !== 'string' || !URL.canParse(issuer) || newPort === 0) return undefined;
  const url = new URL(issuer);
  if (url.origin !== issuer || url.protocol !== 'http:' || !isLoopbackHost(url.hostname)) return undefined;
  if (Number(url.port || 80) !== oldPort) return undefined;
  url.port = String(newPort);
  return url.origin;
}

/**
 * Lays the environment over `vestibule.yaml`: `PORT`, `HOST`, `ISSUER`, `OPERATIONS_PORT`, and
 * `VESTIBULE_MASTER_KEY` where the file has no `master_key`. An empty variable counts as unset.
 */
export function applyEnvironment(source: Source, environment: Environment): void {
  const { PORT, HOST, ISSUER, OPERATIONS_PORT, [MASTER_KEY]: masterKey } = environment;
  const oldPort = valueAt(source.tree, ['listen', 'port']) ?? 3000;
  if (HOST) source.override(['listen', 'host'], HOST, 'HOST');
  if (PORT) source.override(['listen', 'port'], portOf(PORT), 'PORT');
  if (OPERATIONS_PORT) source.override(['operations', 'port'], portOf(OPERATIONS_PORT), 'OPERATIONS_PORT');
  if (ISSUER) source.override(['issuer'], ISSUER, 'ISSUER');
  else if (PORT) {
    const moved = issuerOnPort(valueAt(source.tree, ['issuer']), oldPort, Number(portOf(PORT)));
    if (moved) source.override(['issuer'], moved, 'PORT');
  }
  if (masterKey && valueAt(source.tree, ['master_key']) === undefined) {
    source.override(['master_key'], masterKey, MASTER_KEY);
  }
}
