import { dirname } from 'node:path';
import { openDurable, openEphemeral } from '../../src/storage/registry.ts';
import { newMasterKey } from '../support/config-folder.ts';
import { type MailSink, startMailSink } from '../support/mail-sink.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { freePort } from '../support/ports.ts';
import type { TestStorage } from '../support/storage/index.ts';
import { type Person, type StartOptions, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { type ObservingProxy, startProxy } from './proxy.ts';
import { Servers } from './servers.ts';

/** Wrong passwords in a row that are looked at. */
export const TRIES = 10;
const STRANGERS = Array.from({ length: 12 }, (_, n) => `stranger-${n}`);

const MUTUELLE = clientFile('mutuelle');
const APP = clientFile('app', { client_secret: undefined, token_endpoint_auth_method: 'none' });
const STRANGER_FILES = STRANGERS.map((name) => clientFile(name, { vestibule: { first_party: false } }));

/** Two nodes behind a proxy, on Redis and MongoDB, and portals. */
export interface Ground {
  readonly servers: Servers;
  readonly nodes: readonly Vestibule[];
  readonly proxy: ObservingProxy;
  readonly mail: MailSink;
  readonly issuer: string;
  readonly portal: Portal;
  readonly app: Portal;
  readonly strangers: ReadonlyMap<string, Portal>;
  /** All that was taken is given back, also after a failure. */
  stop(): Promise<void>;
}

export async function prepareGround(people: readonly Person[]): Promise<Ground> {
  const endings: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of endings.toReversed()) await end();
  };
  const endedBy = <Each>(each: Each, end: (each: Each) => Promise<unknown>): Each => {
    endings.push(() => end(each));
    return each;
  };
  try {
    const servers = endedBy(await Servers.start(), (each) => each.stop());
    const mail = endedBy(await startMailSink(), (each) => each.close());
    const port = await freePort();
    const issuer = `http://localhost:${port}`;
    const options = optionsOf(issuer, servers, mail);
    const nodes: Vestibule[] = [];
    for (const added of [people, []]) {
      const node = endedBy(await startVestibule({ ...options, people: added }), (each) => each.stop());
      nodes.push(node);
      await servers.removeAtTheEnd(dirname(node.directory));
    }
    const proxy = endedBy(
      await startProxy(
        nodes.map((node) => node.port),
        port,
      ),
      (each) => each.close(),
    );
    const server = { issuer };
    const portal = await Portal.discover(server, MUTUELLE);
    const app = await Portal.discover(server, APP);
    const strangers = new Map<string, Portal>();
    for (const file of STRANGER_FILES) strangers.set(file.client_id, await Portal.discover(server, file));
    return { servers, nodes, proxy, mail, issuer, portal, app, strangers, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function optionsOf(issuer: string, servers: Servers, mail: MailSink): StartOptions {
  return {
    env: { VESTIBULE_MASTER_KEY: newMasterKey() },
    storage: storageOn(servers),
    clients: [MUTUELLE, APP, ...STRANGER_FILES],
    settings: {
      issuer,
      cluster: true,
      mail: mail.settings,
      passkeys: { offer: { enabled: false } },
      // Everybody comes from the same address.
      limits: { address: { count: 1_000_000, window: '5m' }, lockout: { tries: TRIES, first: '1h' } },
    },
  };
}

/** As an operator sets it up; nothing of it is made easier for the test. */
function storageOn({ urls }: Servers): TestStorage {
  const env = { MONGODB_URL: urls.mongodb, REDIS_URL: urls.redis };
  const durable = { engine: 'mongodb', database: 'chaos', connections: 50, timeout: 1 } as const;
  const ephemeral = { engine: 'redis', key_prefix: 'chaos:', timeout: 1 } as const;
  const notHere = () => Promise.reject(new Error('not for servers that are killed'));
  return {
    settings: {
      durable: { engine: 'mongodb', database: 'chaos', url: '${env:MONGODB_URL}' },
      ephemeral: { engine: 'redis', key_prefix: 'chaos:', url: '${env:REDIS_URL}' },
    },
    env,
    openDurable: (context) => openDurable({ ...durable, url: urls.mongodb }, context),
    openEphemeral: (context) => openEphemeral({ ...ephemeral, url: urls.redis }, context),
    contents: notHere,
    takeAway: notHere,
    remove: async () => undefined,
  };
}
