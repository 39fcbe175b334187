import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

const VERSION = '26.4.0';
const ARTIFACT = `org.keycloak:keycloak-quarkus-dist:${VERSION}:zip`;
/** Of the archive: what was reviewed once is what runs. */
const SHA256 = '1b6a11a2726ac8a8dc9c91d5fafe989a75ce4f1622d7f7b45c21d5bc16629c0a';
const OLDEST_JAVA = 17;
/** Milliseconds for 160 MB. */
const DOWNLOADED_WITHIN = 540_000;

/** The folder outside the repository that keeps Keycloak from one run to the next. */
const cache = () => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'vestibule-interop');

/**
 * Finds Keycloak: `KEYCLOAK_HOME`, else the cache, else it is fetched with Maven, compared with its checksum and unpacked
 * there.
 *
 * @returns its folder
 * @throws Error with a sentence that says what is missing on this machine: a run that shows nothing must not pass for one
 */
export async function installKeycloak(): Promise<string> {
  await demandJava();
  const given = process.env.KEYCLOAK_HOME;
  if (given) {
    if (!existsSync(join(given, 'bin/kc.sh'))) throw new Error(`KEYCLOAK_HOME=${given}: there is no bin/kc.sh`);
    return given;
  }
  const home = join(cache(), `keycloak-${VERSION}`);
  if (!existsSync(home)) await fetchInto(home);
  return home;
}

async function demandJava(): Promise<void> {
  // It writes its version to standard error.
  const { stderr } = await program(
    'java',
    ['-version'],
    `Java ${OLDEST_JAVA} or newer is missing (Debian: apt-get install default-jre-headless)`,
  );
  const major = Number(/version "(\d+)/.exec(stderr)?.[1]);
  if (!(major >= OLDEST_JAVA))
    throw new Error(`Keycloak needs Java ${OLDEST_JAVA} or newer; this is ${stderr.split('\n', 1)[0]}`);
}

async function fetchInto(home: string): Promise<void> {
  await mkdir(cache(), { recursive: true });
  // Beside its place, so that it is moved there whole or not at all.
  const workshop = await mkdtemp(join(cache(), 'fetching-'));
  try {
    await program(
      'mvn',
      ['-q', '-B', 'dependency:copy', `-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${workshop}`],
      'Maven is missing (Debian: apt-get install maven), or set KEYCLOAK_HOME to an unpacked Keycloak',
    );
    const archive = join(workshop, `keycloak-quarkus-dist-${VERSION}.zip`);
    const found = await sha256(archive);
    if (found !== SHA256) throw new Error(`what came as ${ARTIFACT} has the checksum ${found}, not ${SHA256}`);
    await program('unzip', ['-q', archive, '-d', workshop], 'unzip is missing (Debian: apt-get install unzip)');
    await rename(join(workshop, `keycloak-${VERSION}`), home);
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}

/** @param missing the sentence for a machine without the program */
async function program(name: string, args: readonly string[], missing: string) {
  try {
    return await run(name, args, { timeout: DOWNLOADED_WITHIN });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new Error(missing, { cause: error });
    throw error;
  }
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
