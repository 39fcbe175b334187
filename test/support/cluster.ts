import { mkdtemp, rm } from 'node:fs/promises';
import {
  Agent,
  createServer,
  request as forward,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newMasterKey } from './config-folder.ts';
import { releaseSharedMongodb, useSharedMongodb } from './mongodb-server.ts';
import { freePort } from './ports.ts';
import { releaseSharedRedis, useSharedRedis } from './redis-server.ts';
import { createStorage, type TestStorage } from './storage/index.ts';
import { type StartOptions, startVestibule, type Vestibule } from './vestibule.ts';

/** Milliseconds between asking a node whether it is ready, as proxies do. */
const PROBED_EVERY = 200;

/** Several nodes on one MongoDB and one Redis, with one address. */
export interface Cluster {
  /** Its settings are those of all. */
  readonly nodes: readonly Vestibule[];
  /** Of the proxy. */
  readonly issuer: string;
  readonly port: number;
  /** How many requests each node was sent. */
  readonly requests: readonly number[];
  /** Milliseconds since the epoch by the clock of all nodes. */
  now(): number;
  advanceClock(seconds: number): Promise<void>;
  /** Settings, files of clients and providers of all nodes; in use after `signal('SIGHUP')`. */
  configure: Vestibule['configure'];
  signal(name: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/**
 * @param options as for one node; `cluster: true` and the proxy's address are given
 * @param count how many
 */
export async function startCluster(options: StartOptions, count = 2): Promise<Cluster> {
  await useSharedMongodb();
  await useSharedRedis();
  const root = await mkdtemp(join(tmpdir(), 'vestibule-cluster-'));
  const storage = await createStorage(root, 'mongodb+redis', { breakable: false });
  const nodes: Vestibule[] = [];
  const proxy = new RoundRobin(nodes);
  const close = async (): Promise<void> => {
    await proxy.close();
    await Promise.all(nodes.map((node) => node.stop()));
    await storage.remove();
    await rm(root, { recursive: true, force: true });
    await releaseSharedMongodb();
    await releaseSharedRedis();
  };
  try {
    const port = await freePort();
    const issuer = `http://localhost:${port}`;
    await startNodes(nodes, options, { issuer, storage, count });
    await proxy.listen(port);
    return {
      nodes,
      issuer,
      port,
      requests: proxy.requests,
      now: () => nodes[0]?.now() ?? Date.now(),
      advanceClock: async (seconds) => {
        await Promise.all(nodes.map((node) => node.advanceClock(seconds)));
      },
      configure: async (contents) => {
        await Promise.all(nodes.map((node) => node.configure(contents)));
      },
      signal: (name) => {
        for (const node of nodes) node.signal(name);
      },
      stop: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startNodes(
  nodes: Vestibule[],
  options: StartOptions,
  { issuer, storage, count }: { issuer: string; storage: TestStorage; count: number },
): Promise<void> {
  const env = { VESTIBULE_MASTER_KEY: newMasterKey(), ...options.env };
  const settings = { ...options.settings, issuer, cluster: true, proxy: { trusted: ['127.0.0.1'] } };
  const { people: _once, ...rest } = options;
  const start = (more: StartOptions) => startVestibule({ ...rest, ...more, env, settings, storage });
  // The first one adds the people; the others start together, as after a power cut.
  nodes.push(await start(options.people ? { people: options.people } : {}));
  nodes.push(...(await Promise.all(Array.from({ length: count - 1 }, () => start({})))));
}

/**
 * The proxy: each request goes to the next node that says it is ready, by a connection that is kept. A node that takes
 * no connection is passed over; a request that was sent is never sent again, not even down another connection.
 */
class RoundRobin {
  readonly requests: number[] = [];
  readonly #nodes: readonly Vestibule[];
  readonly #server: Server;
  readonly #ready = new Map<Vestibule, boolean>();
  readonly #connections = new Agent({ keepAlive: true });
  #probes: NodeJS.Timeout | undefined;
  #last = -1;

  constructor(nodes: readonly Vestibule[]) {
    this.#nodes = nodes;
    this.#server = createServer((request, response) => void this.#take(request, response));
  }

  async listen(port: number): Promise<void> {
    this.requests.push(...this.#nodes.map(() => 0));
    await new Promise<void>((resolve, reject) => this.#server.once('error', reject).listen(port, '127.0.0.1', resolve));
    this.#probes = setInterval(() => void Promise.all(this.#nodes.map((node) => this.#probe(node))), PROBED_EVERY);
    this.#probes.unref();
  }

  close(): Promise<void> {
    clearInterval(this.#probes);
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
      this.#connections.destroy();
    });
  }

  async #probe(node: Vestibule): Promise<void> {
    const answer = await fetch(`${node.operationsUrl}/health/ready`).catch(() => undefined);
    this.#ready.set(node, answer?.ok ?? false);
    await answer?.arrayBuffer();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // An address that nobody takes connections at may be tried without harm: nothing was sent.
    for (let tries = 0; tries < 2 * this.#nodes.length; tries += 1) {
      const place = this.#next();
      const outcome = await this.#send(request, response, this.#nodes[place] as Vestibule);
      if (outcome === 'refused') continue;
      this.requests[place] = (this.requests[place] ?? 0) + 1;
      return;
    }
    response.writeHead(502).end('no node takes connections');
  }

  #next(): number {
    const count = this.#nodes.length;
    for (let step = 1; step <= count; step += 1) {
      const place = (this.#last + step) % count;
      if (this.#ready.get(this.#nodes[place] as Vestibule) === false) continue;
      this.#last = place;
      return place;
    }
    this.#last = (this.#last + 1) % count;
    return this.#last;
  }

  #send(request: IncomingMessage, response: ServerResponse, node: Vestibule): Promise<'answered' | 'refused'> {
    return new Promise((resolve) => {
      const { method, url: path, rawHeaders, socket } = request;
      const headers = [...withoutForwarded(rawHeaders), 'X-Forwarded-For', socket.remoteAddress ?? ''];
      const sent = forward({ host: '127.0.0.1', port: node.port, method, path, headers, agent: this.#connections });
      sent.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(response);
        resolve('answered');
      });
      sent.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNREFUSED') return resolve('refused');
        if (!response.headersSent) response.writeHead(502);
        response.end(`${error.code}`);
        resolve('answered');
      });
      // Not before somebody takes it: a body can be read once.
      const pass = () => void request.pipe(sent);
      sent.on('socket', (to) => (to.connecting ? to.once('connect', pass) : pass()));
    });
  }
}

const withoutForwarded = (raw: readonly string[]): string[] =>
  raw.flatMap((name, at) =>
    at % 2 === 1 || /^(x-forwarded-for|connection)$/i.test(name) ? [] : [name, raw[at + 1] ?? ''],
  );
