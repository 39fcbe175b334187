/** Two of the demo's portals, as relying parties of an issuer that publishes no secrets: theirs is read from a file. */
import { readFileSync } from 'node:fs';
import { demoAddresses } from '../addresses.ts';
import { startPortals } from '../portals/index.ts';
import { PORTALS } from '../portals/portals.ts';

const SHOWN = ['mutuelle', 'extranet'];

const file = process.env.PORTALS_SECRET;
if (!file) throw new Error('PORTALS_SECRET names no file');
const clientSecret = readFileSync(file, 'utf8').trim();

const { ports, issuer } = demoAddresses();
const running = await startPortals({
  port: ports.PORTALS_PORT.port,
  issuer,
  portals: PORTALS.filter(({ clientId }) => SHOWN.includes(clientId)).map((portal) => ({ ...portal, clientSecret })),
});
console.log(`Portals: ${running.url}/`);
