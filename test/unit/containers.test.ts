import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { isIPv4 } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { checkConfig } from '../../src/config/index.ts';
import {
  COMPOSE_FILES,
  composeFile,
  copiedInto,
  dockerfileStages,
  instructionsOf,
  REPOSITORY,
  repositoryFile,
  type Service,
  valuesOf,
} from '../support/containers.ts';
import { requires } from '../support/requirements.ts';

const manifest = JSON.parse(repositoryFile('package.json')) as { dependencies: Record<string, string> };
const made: string[] = [];
afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

type Networks = Readonly<
  Record<string, { readonly ipam: { readonly config: readonly { readonly gateway?: string }[] } } | undefined>
>;

const servicesNamed = (pattern: RegExp): string[] =>
  Object.keys(composeFile('docker-compose.yml').services).filter((name) => pattern.test(name));

/** The fixed address of a service of docker-compose.yml. */
function addressOf(name: string): string | undefined {
  const service = composeFile('docker-compose.yml').services[name];
  return (service as { networks?: { edge: { ipv4_address: string } } }).networks?.edge.ipv4_address;
}

/** A constant of a source file. */
const milliseconds = (file: string, name: string): number =>
  Number(new RegExp(`^const ${name} = ([\\d_]+);`, 'm').exec(repositoryFile(file))?.[1]?.replaceAll('_', ''));

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-containers-'));
  made.push(folder);
  return folder;
}

describe('the Dockerfile', () => {
  const stages = dockerfileStages();
  const names = stages.map(({ name }) => name);
  const image = instructionsOf('vestibule');

  test('builds on the slim image of the Node that package.json pins', () => {
    const major = manifest.dependencies.node?.split('.')[0];
    const bases = stages.map(({ base }) => base).filter((base) => !names.includes(base));
    expect(new Set(bases)).toEqual(new Set([`node:${major}-slim`]));
  });

  test('makes the product itself when no target is named', () => {
    expect(names.at(-1)).toBe('vestibule');
  });

  test('installs what the lock file says, and runs nothing that a package brings', () => {
    const installs = valuesOf(instructionsOf('packages'), 'RUN').filter((text) => text.includes('npm '));
    expect(installs).toEqual([expect.stringMatching(/^npm ci --omit=dev --ignore-scripts\b/)]);
    const { packages } = JSON.parse(repositoryFile('package-lock.json')) as {
      packages: Record<
        string,
        { hasInstallScript?: boolean; dev?: boolean; devOptional?: boolean; optional?: boolean }
      >;
    };
    const needingScripts = Object.entries(packages)
      .filter(([, { hasInstallScript, dev, devOptional }]) => hasInstallScript && !dev && !devOptional)
      .map(([path]) => path);
    // Nothing else would be incomplete in the image; `node` is what the image is.
    expect(needingScripts).toEqual(['node_modules/node']);
  });

  test.each(['vestibule', 'demo'])('%s runs as a user without rights', (target) => {
    // By number: whoever forbids root, as Kubernetes does, can't look names up in an image.
    expect(valuesOf(instructionsOf(target), 'USER').at(-1)).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  test('compiles for the user and the folder that read it later: Node finds it by both', () => {
    const compiling = instructionsOf('compiled');
    for (const name of ['USER', 'WORKDIR']) expect(valuesOf(compiling, name).at(-1)).toBe(valuesOf(image, name).at(-1));
    expect(copiedInto('compiled')).toEqual(expect.arrayContaining([...copiedInto('vestibule')]));
  });

  test.each(['vestibule', 'demo'])('%s is made of copies alone: nothing runs in it while it is built', (target) => {
    expect(valuesOf(instructionsOf(target), 'RUN')).toEqual([]);
  });

  test('needs no shell to start, nor to tell its health', () => {
    for (const name of ['ENTRYPOINT', 'CMD'])
      expect(JSON.parse(valuesOf(image, name).at(-1) ?? '')).toBeInstanceOf(Array);
    expect(valuesOf(image, 'HEALTHCHECK')).toEqual([expect.stringMatching(/ CMD \["node", /)]);
  });

  test('copies only what .dockerignore lets through, and that is named folder by folder', () => {
    const [first, ...rest] = repositoryFile('.dockerignore')
      .split('\n')
      .filter((line) => line && !line.startsWith('#'));
    expect(first).toBe('*');
    const allowed = rest.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    const copied = stages.flatMap(({ instructions }) =>
      valuesOf(instructions, 'COPY')
        .filter((text) => !text.startsWith('--from='))
        .flatMap((text) => text.split(' ').slice(0, -1)),
    );
    expect(new Set(copied)).toEqual(new Set(allowed));
    expect(allowed.filter((name) => !existsSync(join(REPOSITORY, name)))).toEqual([]);
  });
});

describe.each(COMPOSE_FILES)('%s', (name) => {
  const { services, volumes = {} } = composeFile(name);
  const entries = Object.entries(services);
  const isOnce = ({ restart }: Service): boolean => restart === 'no';
  /** Names of services that are not as they should be. */
  const faulty = (isRight: (service: Service) => unknown): string[] =>
    entries.filter(([, service]) => !isRight(service)).map(([service]) => service);

  test('names a version of every image that is not built here', () => {
    expect(faulty(({ image = '', build }) => build || (/:v?\d/.test(image) && !image.endsWith(':latest')))).toEqual([]);
  });

  test('builds targets that the Dockerfile has', () => {
    const targets = dockerfileStages().map((stage) => stage.name);
    expect(faulty(({ build }) => !build || targets.includes(build.target))).toEqual([]);
  });

  test('knows the health of everything that stays, and waits for what ends', () => {
    expect(
      faulty((service) => isOnce(service) || service.healthcheck || service.build?.target === 'vestibule'),
    ).toEqual([]);
    const awaited = new Map<string, Set<string>>();
    for (const [, { depends_on = {} }] of entries)
      for (const [other, { condition }] of Object.entries(depends_on))
        awaited.set(other, (awaited.get(other) ?? new Set()).add(condition));
    const wrong = [...awaited].filter(([other, conditions]) => {
      const service = services[other];
      const right = service && isOnce(service) ? 'service_completed_successfully' : 'service_healthy';
      return !service || conditions.size !== 1 || !conditions.has(right);
    });
    expect(wrong).toEqual([]);
    const ending = entries.filter(([, service]) => isOnce(service)).map(([service]) => service);
    expect(ending.filter((service) => !awaited.has(service))).toEqual([]);
  });

  test('lets nothing write but to its volumes, nor take rights, nor all the memory', () => {
    expect(faulty(({ read_only }) => read_only)).toEqual([]);
    expect(faulty(({ cap_drop }) => cap_drop?.includes('ALL'))).toEqual([]);
    expect(faulty(({ security_opt }) => security_opt?.includes('no-new-privileges:true'))).toEqual([]);
    expect(faulty(({ mem_limit }) => mem_limit)).toEqual([]);
    expect(
      faulty((service) => isOnce(service) || service.build || !/^(0|root)?(:|$)/.test(service.user ?? '')),
    ).toEqual([]);
  });

  test('opens ports on this machine only', () => {
    expect(faulty(({ ports = [] }) => ports.every((port) => port.startsWith('127.0.0.1:')))).toEqual([]);
  });

  test('mounts files that are there and volumes that are declared', () => {
    const sources = entries.flatMap(([, { volumes: mounts = [] }]) => mounts.map((mount) => mount.split(':')[0] ?? ''));
    const own = sources.filter((source) => source.startsWith('./'));
    // What `vestibule init ./vestibule` makes is the operator's.
    const missing = own.filter((file) => !file.startsWith('./vestibule/') && !existsSync(join(REPOSITORY, file)));
    expect(missing).toEqual([]);
    const named = new Set(sources.filter((source) => !source.startsWith('./')));
    expect(named).toEqual(new Set(Object.keys(volumes)));
  });
});

requires('openssl')('what setup.sh makes', () => {
  const folder = temporaryFolder();
  const secrets = join(folder, 'secrets');
  const readers = ['vestibule', 'portals', 'proxy', 'mongodb', 'redis', 'mailpit'];
  // Giving files away is for root alone; here whoever runs the tests reads them all.
  const programs = join(folder, 'bin');
  for (const path of [programs, ...readers.map((reader) => join(secrets, reader))])
    mkdirSync(path, { recursive: true });
  writeFileSync(join(programs, 'chown'), '#!/bin/sh\nexit 0\n');
  chmodSync(join(programs, 'chown'), 0o755);
  const setUp = (): string =>
    execFileSync('bash', [join(REPOSITORY, 'examples/compose/setup.sh'), secrets], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${programs}:${process.env.PATH}` },
    });
  setUp();
  const read = (name: string): string => readFileSync(join(secrets, name), 'utf8');

  test('completes the configuration: `config check` has nothing to say', () => {
    const config = join(folder, 'config');
    cpSync(join(REPOSITORY, 'examples/compose/config'), config, { recursive: true });
    for (const file of globSync('**/*.yaml', { cwd: config })) {
      const text = readFileSync(join(config, file), 'utf8');
      writeFileSync(join(config, file), text.replaceAll('/run/vestibule/', `${secrets}/vestibule/`));
    }
    const { problems, warnings, config: loaded } = checkConfig(config, {});
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(loaded).toMatchObject({
      cluster: true,
      storage: { durable: { engine: 'mongodb' }, ephemeral: { engine: 'redis' } },
    });
    expect(loaded?.proxy.trusted).toEqual([addressOf('proxy')]);
  });

  test.each([
    ['proxy', 'localhost'],
    ['mailpit', 'mailpit'],
  ])('a certificate for %s that whoever trusts the authority accepts', (reader, host) => {
    const authority = new X509Certificate(read('vestibule/ca.pem'));
    const certificate = new X509Certificate(read(`${reader}/certificate.pem`));
    expect(certificate.checkHost(host)).toBe(host);
    expect(certificate.checkIssued(authority) && certificate.verify(authority.publicKey)).toBe(true);
    // Its key signed these two and is gone.
    expect(globSync('**/ca.key', { cwd: secrets })).toEqual([]);
  });

  test('one secret for both sides of each connection', () => {
    expect(read('portals/portals.secret')).toBe(read('vestibule/portals.secret'));
    expect(read('vestibule/mongodb.url')).toContain(`:${read('mongodb/vestibule.password').trim()}@`);
    expect(read('vestibule/mongodb.url')).toContain('replicaSet=vestibule');
  });

  test('readable to nobody else, and the same when it is run again', () => {
    const all = globSync('*/*', { cwd: secrets }).toSorted();
    const before = all.map(read);
    setUp();
    expect(globSync('*/*', { cwd: secrets }).toSorted()).toEqual(all);
    expect(all.map(read)).toEqual(before);
    const modes = execFileSync('stat', ['-c', '%a', ...all.map((name) => join(secrets, name))], { encoding: 'utf8' });
    expect(new Set(modes.trim().split('\n'))).toEqual(new Set(['600']));
  });
});

test('what the replica set and the proxy are told names the services there are', () => {
  const inScript = repositoryFile('examples/compose/mongodb-init.js').match(/mongodb-\d/g) ?? [];
  expect(new Set(inScript)).toEqual(new Set(servicesNamed(/^mongodb-\d$/)));
  const upstream = [...repositoryFile('examples/compose/nginx.conf').matchAll(/server (\S+):3000 /g)];
  // Addresses, not names: nginx ends at its start where a name is unknown, as that of a stopped container is.
  expect(upstream.map(([, address]) => address)).toEqual(servicesNamed(/^vestibule-\d$/).map(addressOf));
});

test('a proxy before the single node has the address that the comment tells to trust', () => {
  const { networks } = composeFile('docker-compose.single.yml') as { networks?: Networks };
  const [{ gateway = '' } = {}] = networks?.edge?.ipam.config ?? [];
  expect(isIPv4(gateway)).toBe(true);
  expect(repositoryFile('docker-compose.single.yml')).toContain(`\`proxy: { trusted: [${gateway}] }\``);
});

test.each([
  ['docker-compose.yml', true],
  ['docker-compose.single.yml', false],
])('%s waits longer for a node to stop than it takes to finish what is under way', (name, isCluster) => {
  const [notice, requests, mails] = [
    milliseconds('src/main.ts', 'NOTICE'),
    milliseconds('src/main.ts', 'DRAIN_TIMEOUT'),
    milliseconds('src/notifications/worker.ts', 'CLOSED_WITHIN'),
  ] as const;
  // Health checks and storages: a time-out each, of a second or three.
  const least = (isCluster ? notice : 0) + requests + mails + 5000;
  const nodes = Object.values(composeFile(name).services).filter(({ build }) => build?.target === 'vestibule');
  expect(nodes).not.toEqual([]);
  for (const node of nodes as { stop_grace_period?: string }[])
    expect(Number(/^(\d+)s$/.exec(node.stop_grace_period ?? '')?.[1]) * 1000).toBeGreaterThanOrEqual(least);
});

test('the compose configuration names its schema for editors', () => {
  expect(parse(repositoryFile('examples/compose/config/vestibule.yaml'))).toMatchObject({
    issuer: 'https://localhost:8443',
  });
  expect(repositoryFile('examples/compose/config/vestibule.yaml').split('\n')[0]).toMatch(/config\/schemas\/vestibule/);
});
