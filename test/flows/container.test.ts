import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { defaultSettings, writeConfig } from '../support/config-folder.ts';
import {
  copiedInto,
  healthCheck,
  instructionsOf,
  REPOSITORY,
  repositoryFile,
  valuesOf,
} from '../support/containers.ts';
import { SELF_SIGNED } from '../support/evil-upstream-certificate.ts';
import { freePort } from '../support/ports.ts';
import { onPath } from '../support/programs.ts';
import { requires } from '../support/requirements.ts';
import { NODE_FLAGS } from '../support/server-process.ts';

/** The `node` user of the image. */
const NOBODY = 1000;
const READY_WITHIN_MS = 20_000;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'vestibule-container-'));
  chmodSync(root, 0o755);
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Whether somebody who owns nothing here may read the file: each folder above it must let them through. */
const isForEverybody = (path: string): boolean =>
  (statSync(path).mode & 0o005) === 0o005 && (path === '/' || isForEverybody(dirname(path)));

/** Exit code of the image's own health check. */
async function health(operationsPort: number): Promise<number> {
  const [program, ...args] = healthCheck();
  const env = { PATH: process.env.PATH, OPERATIONS_PORT: String(operationsPort) };
  const child = spawn(program === 'node' ? process.execPath : program, args, { stdio: 'ignore', env });
  const [code] = await once(child, 'close');
  return code as number;
}

/** The files of the image, with the packages that are installed here. */
function imageFiles(): string {
  const folder = mkdtempSync(join(root, 'image-'));
  chmodSync(folder, 0o755);
  for (const name of copiedInto('vestibule')) cpSync(join(REPOSITORY, name), join(folder, name), { recursive: true });
  symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

const contentsOf = (folder: string): string[] => globSync('**', { cwd: folder, exclude: ['node_modules'] }).toSorted();

/** The image's own start, on an instance of its own: all of it belongs to somebody else and is read-only, but for data/. */
async function startImage() {
  const image = imageFiles();
  const instance = mkdtempSync(join(root, 'instance-'));
  chmodSync(instance, 0o755);
  const [port, operationsPort] = [await freePort(), await freePort()];
  const settings = { ...defaultSettings({ public: port, operations: operationsPort }), master_key: '${file:../key}' };
  await writeConfig(join(instance, 'config'), { settings });
  writeFileSync(join(instance, 'key'), randomBytes(32).toString('base64'));
  mkdirSync(join(instance, 'data'));
  const before = { image: contentsOf(image), instance: contentsOf(instance) };

  const asSomebodyElse =
    process.getuid?.() === 0 && isForEverybody(REPOSITORY) && isForEverybody(dirname(process.execPath));
  if (asSomebodyElse) chownSync(join(instance, 'data'), NOBODY, NOBODY);
  const [, ...program] = ['ENTRYPOINT', 'CMD'].flatMap(
    (name) => JSON.parse(valuesOf(instructionsOf('vestibule'), name).at(-1) ?? '') as string[],
  );
  const server = spawn(process.execPath, program, {
    cwd: image,
    env: {
      PATH: process.env.PATH,
      HOST: '0.0.0.0',
      OPERATIONS_PORT: String(operationsPort),
      VESTIBULE_CONFIG: join(instance, 'config'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(asSomebodyElse ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  const ended = once(server, 'close');
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const failed = (why: string) => reject(new Error(`${why}:\n${output}`));
    const tooLate = setTimeout(failed, READY_WITHIN_MS, 'not started');
    server.once('close', () => failed('the server ended'));
    for (const stream of [server.stdout, server.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (!output.includes('"server.started"')) return;
        clearTimeout(tooLate);
        resolve();
      });
  });
  const stop = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> => {
    server.kill(signal);
    await ended;
    return server.exitCode;
  };
  return { port, operationsPort, image, instance, before, stop };
}

describe('what the image holds', () => {
  let running: Awaited<ReturnType<typeof startImage>>;
  beforeEach(async () => {
    running = await startImage();
  });
  afterEach(() => running.stop('SIGKILL'));

  test('is enough to run from, read-only: pages, assets and discovery are served', async () => {
    const { port, image, instance, before } = running;
    const get = (path: string) => fetch(`http://localhost:${port}${path}`, { headers: { accept: 'text/html' } });
    expect((await get('/.well-known/openid-configuration')).status).toBe(200);
    const page = await (await get('/nothing-here')).text();
    const [, stylesheet = ''] = /href="([^"]+\.css)"/.exec(page) ?? [];
    expect((await get(stylesheet)).status).toBe(200);
    expect(contentsOf(image)).toEqual(before.image);
    const written = contentsOf(instance).filter((name) => !before.instance.includes(name));
    expect(written).not.toEqual([]);
    expect(written.filter((name) => !name.startsWith('data/'))).toEqual([]);
  });

  test('is called healthy while it is ready, and no longer when its database is gone or it stopped, in order', async () => {
    const { operationsPort, instance, stop } = running;
    expect(await health(operationsPort)).toBe(0);
    rmSync(join(instance, 'data/ephemeral.db'));
    expect(await health(operationsPort)).toBe(1);
    expect(await stop('SIGTERM')).toBe(0);
    expect(await health(operationsPort)).toBe(1);
  });
});

test('the image can make what it is run from: `init` finds its templates', async () => {
  const made = join(root, 'made');
  const child = spawn(process.execPath, [...NODE_FLAGS.slice(0, 1), 'src/cli/bin.js', 'init', made], {
    cwd: imageFiles(),
  });
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(statSync(join(made, 'config/vestibule.yaml')).isFile()).toBe(true);
});

requires('nginx')('the proxy of docker-compose.yml', () => {
  interface Node {
    readonly server: Server;
    readonly name: string;
  }
  let nodes: Node[] = [];
  /** Names of the nodes that read a request and then closed the connection without an answer. */
  let brokeOff: string[] = [];
  let areBreaking = false;
  let port: number;
  let nginx: ReturnType<typeof spawn>;
  let complaints = '';

  /** Stands for a node: answers with its name and what it was told. */
  async function startNode(name: string): Promise<number> {
    const server = createServer((request, response) => {
      const { method, headers, socket } = request;
      request.resume().once('end', () => {
        if (!areBreaking) {
          response.setHeader('connection', 'close').end(JSON.stringify({ name, method, headers }));
          return;
        }
        brokeOff.push(name);
        socket.destroy();
      });
    });
    const free = await freePort();
    server.listen(free, '127.0.0.1');
    await once(server, 'listening');
    nodes.push({ server, name });
    return free;
  }

  function ask(
    method: 'GET' | 'POST',
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const options = { host: 'localhost', port, path: '/auth', method, headers, ca: SELF_SIGNED.cert, agent: false };
      const sent = request(options as never, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      });
      sent.on('error', reject);
      sent.end(method === 'POST' ? 'login=anna' : undefined);
    });
  }

  beforeEach(async () => {
    [nodes, brokeOff, areBreaking] = [[], [], false];
    const folder = mkdtempSync(join(root, 'proxy-'));
    chmodSync(folder, 0o777);
    writeFileSync(join(folder, 'certificate.pem'), SELF_SIGNED.cert);
    writeFileSync(join(folder, 'key.pem'), SELF_SIGNED.key);
    port = await freePort();
    const portals = await freePort();
    const [first, second] = [await startNode('one'), await startNode('two')];
    const places = [first, second].map((free) => `127.0.0.1:${free}`);
    const text = repositoryFile('examples/compose/nginx.conf')
      .replaceAll(/ \/tmp\//g, ` ${folder}/`)
      .replaceAll('/run/proxy/', `${folder}/`)
      .replaceAll(/(?<=server )\S+:3000(?= )/g, () => places.shift() ?? '')
      .replace('listen 8443', `listen 127.0.0.1:${port}`)
      .replace('listen 3101', `listen 127.0.0.1:${portals}`)
      .replace('/dev/stdout', `${folder}/access.log`);
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, text);
    const program = onPath('nginx') ?? 'nginx';
    const common = ['-e', 'stderr', '-c', file, '-p', folder];
    const check = await new Promise<{ failed: boolean; said: string }>((resolve) =>
      execFile(program, [...common, '-t'], (error, _out, said) => resolve({ failed: error !== null, said })),
    );
    if (check.failed) throw new Error(check.said);
    complaints = check.said;
    nginx = spawn(program, [...common, '-g', 'daemon off; master_process off;'], { stdio: 'ignore' });
    for (const until = performance.now() + READY_WITHIN_MS; performance.now() < until; ) {
      const answers = await ask('GET').then(
        () => true,
        () => false,
      );
      if (answers) return;
    }
    throw new Error('nginx does not answer');
  });
  afterEach(async () => {
    const ended = once(nginx, 'close');
    nginx.kill('SIGKILL');
    await ended;
    for (const { server } of nodes) server.close();
  });

  test('has a configuration that nginx has no fault to find with', () => {
    expect(complaints).not.toMatch(/\[(warn|error|emerg)\]/);
  });

  test('an address that begins sign-ins without end is told to wait', async () => {
    const answers = await Promise.all(Array.from({ length: 160 }, () => ask('GET')));
    const told = (wanted: number): number => answers.filter(({ status }) => status === wanted).length;
    expect(told(429)).toBeGreaterThan(0);
    expect(told(200)).toBeGreaterThanOrEqual(95);
    expect(told(200) + told(429)).toBe(160);
  });

  test('tells the nodes who asks, whatever the visitor claims', async () => {
    const { body } = await ask('GET', { 'x-forwarded-for': '198.51.100.7' });
    expect((JSON.parse(body) as { headers: Record<string, string> }).headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      host: 'localhost',
    });
  });

  test('lets either node answer, and the other one when one is gone', async () => {
    const answering = async () => {
      const names = new Set<string>();
      for (let n = 0; n < 8; n++) names.add((JSON.parse((await ask('GET')).body) as { name: string }).name);
      return names;
    };
    expect(await answering()).toEqual(new Set(['one', 'two']));
    const [gone] = nodes;
    gone?.server.close();
    gone?.server.closeAllConnections();
    expect(await answering()).toEqual(new Set(['two']));
  });

  test.each([
    ['GET', 2, 'is put to the other node too'],
    ['POST', 1, 'is never sent to another: it may have been acted on'],
  ] as const)('a %s that a node took and did not answer … (%i asked) %s', async (method, asked, _what) => {
    areBreaking = true;
    expect((await ask(method)).status).toBe(502);
    expect(brokeOff).toHaveLength(asked);
    expect(new Set(brokeOff).size).toBe(asked);
  });
});
