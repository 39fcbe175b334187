import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import type { Program } from './subject.ts';

const EXAMPLES = resolve(import.meta.dirname, '../../examples');
/** Name of the provider's file: part of the addresses that the eID has registered. */
export const EID = 'demo-eid';

/** The demo's eID as a process of its own. @param vestibule the one relying party it knows, its address */
export const eidProgram = (port: number, vestibule: string): Program => ({
  label: 'demo eID',
  port,
  program: [resolve(EXAMPLES, 'eid/index.ts')],
  env: { EID_PORT: String(port), ISSUER: vestibule },
});

/** What the demo's file says of it, at another port, and without what belongs to the demo's own portals and looks. */
export async function eidSettings(port: number): Promise<Readonly<Record<string, unknown>>> {
  const file = await readFile(resolve(EXAMPLES, `config/providers/${EID}.yaml`), 'utf8');
  const { logo: _logo, clients: _clients, release: _release, ...settings } = parse(file) as Record<string, unknown>;
  return { ...settings, issuer: `http://localhost:${port}` };
}
