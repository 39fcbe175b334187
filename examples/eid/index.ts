/**
 * The demo's electronic identity: a second OpenID provider, which Vestibule asks who somebody is. It stands for a
 * national one (itsme, FranceConnect+ …): one registered relying party that proves itself by its key, tokens that are
 * signed and encrypted, three levels of assurance, a confirmation at every use.
 *
 * Read `client.ts` (what such a provider registers), `levels.ts`, `provider.ts` (what is told to `oidc-provider`),
 * `routes.ts` (its pages). The other side is `../config/providers/demo-eid.yaml`. Nothing is kept: keys and sessions
 * end with the program; the `sub` of a citizen stays the same.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { demoAddresses } from '../addresses.ts';
import { close, listen, type Running } from '../shared/http.ts';
import { createProvider, makeSigningKey } from './provider.ts';
import { createRoutes, securityHeaders } from './routes.ts';

export interface EidOptions {
  /** 0 picks a free one; Vestibule's file names the issuer, so it is 3003 in the demo. */
  readonly port: number;
  /** Address of Vestibule, without a slash at the end. It needn't run yet: its keys are fetched when it asks for tokens. */
  readonly vestibule: string;
  /** Where to say what went wrong; the visitor never sees it. */
  readonly log?: (line: string) => void;
}

/**
 * Serves the eID on loopback until closed.
 * @returns `url` is its issuer
 * @throws Error (`EADDRINUSE`) when the port is taken
 */
export async function startEid(options: EidOptions): Promise<Running> {
  const log = options.log ?? ((line: string) => console.error(line));
  const key = await makeSigningKey();
  const server = createServer({ requestTimeout: 10_000 });
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo;
  const host = `localhost:${port}`;
  const issuer = `http://${host}`;
  try {
    const provider = createProvider({ issuer, vestibule: options.vestibule, key, log });
    provider.use(securityHeaders);
    provider.use(createRoutes(provider));
    const handle = provider.callback();
    server.on('request', (request, response) => {
      // Answering other names would let any web page read the eID by DNS rebinding.
      if (request.headers.host === host) return void handle(request, response);
      response.writeHead(421, { 'content-type': 'text/plain' }).end('Misdirected request\n');
    });
  } catch (error) {
    server.close();
    throw error;
  }
  return {
    url: issuer,
    close: () => close(server),
  };
}

if (import.meta.main) {
  const { issuer } = demoAddresses();
  const running = await startEid({ port: Number(process.env.EID_PORT || 3003), vestibule: issuer });
  console.log(`Demo eID: ${running.url}/`);
}
