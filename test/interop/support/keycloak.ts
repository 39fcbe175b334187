import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../../support/ports.ts';
import { installKeycloak } from './install.ts';

/** Milliseconds; it takes twenty seconds on two quiet cores. */
const READY_WITHIN = 180_000;
const STOPPED_WITHIN = 20_000;
const POLL_EVERY = 250;
const ADMINISTRATOR = 'interop';

/**
 * Ends the program when standard input does: a test run that was killed leaves no Java behind. At once, as there is nothing
 * to keep; asked politely it would wait for somebody to read its output.
 */
const TETHER = '"$@" & read -r _; kill -9 $!; wait $!';

/** A Keycloak of this test run alone: its data in memory, on a free port of this machine. */
export class Keycloak {
  readonly #url: string;
  readonly #password: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #output = '';

  /** Fetches it where it isn't there yet. @throws Error with what is missing, or with the last it wrote when it does not start */
  static async start(): Promise<Keycloak> {
    const keycloak = new Keycloak(await installKeycloak(), await freePort(), randomBytes(16).toString('hex'));
    try {
      await keycloak.#ready();
    } catch (error) {
      await keycloak.stop();
      throw error;
    }
    return keycloak;
  }

  private constructor(home: string, port: number, password: string) {
    this.#url = `http://localhost:${port}`;
    this.#password = password;
    const options = [`--http-port=${port}`, '--http-host=127.0.0.1', `--hostname=${this.#url}`, '--db=dev-mem'];
    this.#child = spawn('sh', ['-c', TETHER, 'sh', join(home, 'bin/kc.sh'), 'start-dev', ...options], {
      env: {
        PATH: process.env.PATH,
        JAVA_HOME: process.env.JAVA_HOME,
        KC_BOOTSTRAP_ADMIN_USERNAME: ADMINISTRATOR,
        KC_BOOTSTRAP_ADMIN_PASSWORD: password,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-8192);
      });
    }
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => resolve()).once('error', () => resolve());
    });
  }

  /** What it wrote last, for messages of failing tests. */
  get output(): string {
    return this.#output;
  }

  issuer(realm: string): string {
    return `${this.#url}/realms/${realm}`;
  }

  /** Everything of a realm at once, as an export of it would hold it. */
  async createRealm(realm: { readonly realm: string } & Readonly<Record<string, unknown>>): Promise<void> {
    await this.administer('POST', '', realm);
  }

  /** @param path below `/admin/realms` @throws Error with its answer when that is no success */
  async administer(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.#url}/admin/realms${path}`, {
      method,
      headers: { authorization: `Bearer ${await this.#token()}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  /** Ends it and waits until it has ended. */
  async stop(): Promise<void> {
    this.#child.stdin?.end();
    const tooLate = new AbortController();
    const inTime = await Promise.race([
      this.#ended.then(() => true),
      wait(STOPPED_WITHIN, false, { signal: tooLate.signal }),
    ]);
    tooLate.abort();
    if (!inTime) throw new Error(`Keycloak still runs ${STOPPED_WITHIN / 1000} s after it was told to end`);
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + READY_WITHIN;
    while (performance.now() < deadline) {
      const isReady = await fetch(this.issuer('master')).then(
        (response) => response.ok,
        () => false,
      );
      if (isReady) return;
      if (this.#output.includes('Failed to start')) break;
      await wait(POLL_EVERY);
    }
    throw new Error(`Keycloak does not start:\n${this.#output}`);
  }

  /** For one request: they are good for a minute. */
  async #token(): Promise<string> {
    const response = await fetch(`${this.issuer('master')}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'password',
        client_id: 'admin-cli',
        username: ADMINISTRATOR,
        password: this.#password,
      }),
    });
    const { access_token: token } = (await response.json()) as { access_token?: string };
    if (!token) throw new Error(`Keycloak's administrator was answered with ${response.status}`);
    return token;
  }
}
