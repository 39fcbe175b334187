/**
 * The demo's portals: six small relying parties in one program, each a row of `portals.ts`.
 *
 * To connect a portal of your own, read in this order: `relying-party.ts` (all that is said to
 * the provider), `portal.ts` (what each address of a portal does), `documents-api.ts` (an API that
 * asks for more than a password), `logout-token.ts` (hearing of a sign-out elsewhere) and
 * `../config/clients/mutuelle.yaml` (the provider's side of it).
 */
import { readFile } from 'node:fs/promises';
import { demoAddresses } from '../addresses.ts';
import { type Answer, file, page, type Running, serve, type Visit } from '../shared/http.ts';
import { indexPage, plainPage } from './pages.ts';
import { createPortal } from './portal.ts';
import { PORTALS, type Portal } from './portals.ts';

export interface PortalsOptions {
  /** 0 picks a free one; the client files name the redirect URIs, so it is 3001 in the demo. */
  readonly port: number;
  /** Address of the provider, without a slash at the end. It needn't run yet. */
  readonly issuer: string;
  readonly portals?: readonly Portal[];
  /** Where to say what went wrong; the visitor never sees it. */
  readonly log?: (line: string) => void;
}

/** Serves the portals on loopback until closed. @throws Error (`EADDRINUSE`) when the port is taken */
export async function startPortals(options: PortalsOptions): Promise<Running> {
  const rows = options.portals ?? PORTALS;
  const log = options.log ?? ((line: string) => console.error(line));
  const portals = new Map<string, (action: string, visit: Visit) => Promise<Answer | undefined>>();

  const route = async (visit: Visit): Promise<Answer | undefined> => {
    const [first = '', ...rest] = visit.url.pathname.split('/').slice(1);
    const action = rest.join('/');
    const portal = portals.get(first);
    if (portal) return portal(action, visit);
    if (visit.method !== 'GET' || rest.length > 1) return undefined;
    if (first === '') return page(indexPage(rows, options.issuer));
    if (first === 'portals.css') return file(await readFile(new URL('portals.css', import.meta.url)), 'text/css');
    if (first === 'logos') return logo(action, rows);
    return undefined;
  };

  const running = await serve({
    port: options.port,
    log,
    handle: async (visit) => (await route(visit)) ?? page(plainPage('Not found', 'There is no such page here.'), 404),
    failed: () => page(plainPage('Something went wrong', 'Please try again.'), 500),
    // `form-action` names the provider because signing out is a form that is answered by a redirect to it.
    contentSecurityPolicy: [
      "default-src 'none'",
      "style-src 'self'",
      "img-src 'self'",
      `form-action 'self' ${new URL(options.issuer).origin}`,
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ].join('; '),
  });
  for (const row of rows) {
    portals.set(
      row.path,
      createPortal({ portal: row, issuer: options.issuer, home: `${running.url}/${row.path}`, log }),
    );
  }
  return running;
}

/** The provider shows the same files: one logo for both. */
async function logo(name: string, rows: readonly Portal[]): Promise<Answer | undefined> {
  const known = ['vestibule', ...rows.map((row) => row.path)].find((path) => `${path}.svg` === name);
  if (!known) return undefined;
  return file(await readFile(new URL(`../config/logos/${known}.svg`, import.meta.url)), 'image/svg+xml');
}

if (import.meta.main) {
  const { ports, issuer } = demoAddresses();
  const running = await startPortals({ port: ports.PORTALS_PORT.port, issuer });
  console.log(`Demo portals: ${running.url}/`);
}
