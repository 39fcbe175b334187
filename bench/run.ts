/**
 * `npm run bench`: Vestibule on SQLite against the bare protocol library, measured in one run on
 * one machine. README.md says how to read the figures.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '../test/support/ports.ts';
import { type External, externalLogins } from './figures/external.ts';
import { type KeysUnderLoad, keysUnderLoad } from './figures/external-jwks.ts';
import { type Flood, flood } from './figures/flood.ts';
import { hashCpuMs } from './figures/hash.ts';
import { nameTimes } from './figures/names.ts';
import { outbox } from './figures/outbox.ts';
import { firstPageWeight, type Weight } from './figures/page.ts';
import { assertionCpuMs } from './figures/passkey.ts';
import { runRounds } from './figures/rounds.ts';
import { sharedStorage } from './figures/shared-storage.ts';
import { storm } from './figures/storm.ts';
import { codeCpuMs } from './figures/totp.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { print } from './report/print.ts';
import { summarise } from './report/results.ts';
import type { Results } from './report/shape.ts';
import { measureScale, printScale } from './scale/index.ts';
import { bareSubject } from './servers/bare.ts';
import { EID, eidProgram, eidSettings } from './servers/eid.ts';
import { writePrograms } from './servers/javascript.ts';
import { Server, stopAll } from './servers/server.ts';
import type { Subject, World } from './servers/subject.ts';
import { vestibuleSubject } from './servers/vestibule.ts';
import { createWorld } from './servers/world.ts';

const DATA = resolve(import.meta.dirname, '../data');
const RESULTS = resolve(import.meta.dirname, 'results');

const progress = (text: string): void => void process.stderr.write(`${text} …\n`);

async function bench(options: Options, directory: string): Promise<void> {
  const loadBefore = loadavg()[0] ?? 0;
  progress('preparing');
  const world = createWorld();
  const programs = await writePrograms(join(directory, 'programs'));
  const vestibule = await vestibuleSubject(world, {
    program: options.program,
    nodeOptions: options.serverOptions,
    directory,
    port: await freePort(),
    operationsPort: await freePort(),
  });
  const subjects = [vestibule];
  for (const id of ['memory', 'sqlite', ...(options.full ? ['sqlite-full' as const] : [])] as const) {
    subjects.push(bareSubject(id, world, { program: programs.bare, directory, port: await freePort() }));
  }
  // Before the load generator has filled this process.
  const inThisProcess = {
    assertionCpuMs: options.figures.has('passkey') ? await assertionCpuMs(directory) : undefined,
    codeCpuMs: options.figures.has('totp') ? await codeCpuMs() : undefined,
  };
  if (options.figures.has('outbox')) progress('outbox');
  const mails = options.figures.has('outbox') ? await outbox(directory, options.mails) : undefined;
  if (options.figures.has('names')) progress('names');
  const names = options.figures.has('names') ? await nameTimes(options.names) : undefined;
  if (options.figures.has('storm')) progress('storm');
  const stormy = options.figures.has('storm') ? await storm(options.stormLogins) : undefined;
  const shared = options.figures.has('redis')
    ? await sharedStorage(world, options, { directory, preload: programs.preload, progress })
    : undefined;
  const federated = await withEid(world, options, directory, programs.preload);
  const ours = await apart(vestibule, world, options, programs.preload);
  const samples = await runRounds(subjects, { world, options, preload: programs.preload, progress });
  const results = summarise(samples, options, {
    loadBefore,
    hashCpuMs: hashCpuMs(world.argon2id),
    ...inThisProcess,
    outbox: mails,
    names,
    storm: stormy,
    sharedStorage: shared,
    ...federated,
    ...ours,
  });
  console.log(print(results, subjects));
  await save(results);
}

/** What is measured of a Vestibule that knows the demo's eID, the one running beside the other. */
async function withEid(
  world: World,
  options: Options,
  directory: string,
  preload: string,
): Promise<{ external: External | undefined; externalJwks: KeysUnderLoad | undefined }> {
  const { figures } = options;
  if (!figures.has('external') && !figures.has('external-jwks'))
    return { external: undefined, externalJwks: undefined };
  progress('external identity');
  const [port, operationsPort, eidPort] = [await freePort(), await freePort(), await freePort()];
  const subject = await vestibuleSubject(world, {
    program: options.program,
    nodeOptions: options.serverOptions,
    directory: join(directory, 'external'),
    port,
    operationsPort,
    providers: { [EID]: await eidSettings(eidPort) },
  });
  const eid = await Server.start(eidProgram(eidPort, `http://localhost:${port}`), preload);
  const { server } = await Server.start(subject, preload);
  const at = { server, port, eidPort };
  const external = figures.has('external') ? await externalLogins(at, world, options.externalLogins) : undefined;
  const externalJwks = figures.has('external-jwks') ? await keysUnderLoad(port, options.keysSeconds) : undefined;
  await Promise.all([server.stop(), eid.server.stop()]);
  return { external, externalJwks };
}

/** What is measured of Vestibule alone. Its first start, too: the rounds then find keys and database. */
async function apart(
  subject: Subject,
  world: World,
  options: Options,
  preload: string,
): Promise<{ flood: Flood | undefined; firstPage: Weight | undefined }> {
  progress('Vestibule alone');
  const { server } = await Server.start(subject, preload);
  const firstPage = options.figures.has('page') ? await firstPageWeight(subject.port) : undefined;
  const crowd = options.figures.has('flood') ? await flood(subject.port, world, options.floodSeconds) : undefined;
  await server.stop();
  return { flood: crowd, firstPage };
}

async function save(results: Results): Promise<void> {
  const name = results.mode === 'full' ? 'latest.json' : 'partial.json';
  await mkdir(RESULTS, { recursive: true });
  await writeFile(join(RESULTS, name), `${JSON.stringify(results, rounded, 2)}\n`);
  console.log(`\nbench/results/${name}`);
}

async function sizes(options: Options, directory: string): Promise<void> {
  const results = await measureScale(options, directory, progress);
  console.log(printScale(results));
  await mkdir(RESULTS, { recursive: true });
  // One file a figure: each takes minutes, and they are measured on different days.
  for (const [figure, found] of Object.entries(results).filter(([, result]) => result !== undefined))
    await writeFile(join(RESULTS, `scale-${figure}.json`), `${JSON.stringify(found, rounded, 2)}\n`);
}

const rounded = (_name: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;

// `stripTypeScriptTypes` calls itself experimental: known, and noise among the figures.
process.removeAllListeners('warning');

async function main(): Promise<number> {
  let options: Options | undefined;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
  if (!options) {
    console.log(USAGE);
    return 0;
  }
  await mkdir(DATA, { recursive: true });
  const directory = await mkdtemp(join(DATA, 'bench-'));
  const cleanUp = async (): Promise<void> => {
    await stopAll();
    await rm(directory, { recursive: true, force: true });
  };
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      interrupted = true;
      // Requests under way fail now, in many places at once.
      process.on('unhandledRejection', () => {});
      cleanUp().finally(() => process.exit(1));
    });
  }
  try {
    if (options.scale.figures.size > 0) await sizes(options, directory);
    if (options.figures.size > 0) await bench(options, directory);
    return 0;
  } catch (error) {
    if (!interrupted) console.error(error);
    return 1;
  } finally {
    await cleanUp();
  }
}

process.exitCode = await main();
