import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Outcome, temporaryFolder, vestibule } from '../cli/program.ts';
import { MASTER_KEY } from './folder.ts';

let upstream: Server;
let issuer: string;
let asked: string[];
let answer: (response: ServerResponse) => void;

const json = (document: object) => (response: ServerResponse) => {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(document));
};

/** Metadata of a provider that can do what the preset generic expects. */
const able = () => ({
  issuer,
  authorization_endpoint: `${issuer}/auth`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
  userinfo_endpoint: `${issuer}/userinfo`,
  token_endpoint_auth_methods_supported: ['private_key_jwt'],
  code_challenge_methods_supported: ['S256'],
});

beforeAll(async () => {
  upstream = createServer((request: IncomingMessage, response) => {
    asked.push(request.url ?? '');
    answer(response);
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  issuer = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
});
afterAll(() => {
  upstream.closeAllConnections();
  upstream.close();
});
beforeEach(() => {
  asked = [];
  answer = json(able());
});

/** Runs `config check --online` on one provider; line 5 of its file is the first of `yaml`. */
function check(
  yaml = '',
  args: readonly string[] = ['--online'],
  files: Record<string, string> = {},
): Promise<Outcome> {
  const directory = temporaryFolder();
  for (const folder of ['clients', 'providers']) mkdirSync(join(directory, folder));
  const provider = `preset: generic\nname: eID\nissuer: ${issuer}\nclient_id: us\n${yaml}\n`;
  const all = { 'vestibule.yaml': 'issuer: http://localhost:3000\n', 'providers/eid.yaml': provider, ...files };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(directory, name), text);
  return vestibule(['config', 'check', directory, ...args], { VESTIBULE_MASTER_KEY: MASTER_KEY });
}

describe('config check --online', () => {
  test('accepts a provider that supports what is configured, and says what to register there', async () => {
    const { code, stdout, stderr } = await check();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/no problems, no warnings, no clients, 1 provider\n$/);
    expect(stdout).toContain('eid: register the redirect URI http://localhost:3000/external/eid/callback');
    expect(stdout).toContain('http://localhost:3000/external/jwks');
    expect(asked).toEqual(['/.well-known/openid-configuration']);
  });

  test('asks nobody without the option, and not for a provider that is off', async () => {
    expect((await check('', [])).code).toBe(0);
    expect((await check('enabled: false')).code).toBe(0);
    expect(asked).toEqual([]);
  });

  test('exits 1 and names the line of what would keep everybody out', async () => {
    const { code, stdout } = await check('dpop: false\nrequest: pushed');
    expect(code).toBe(1);
    expect(stdout).toMatch(/providers\/eid\.yaml:6:10 {2}request {2}the provider takes no pushed requests/);
    expect(stdout).toContain(': 1 problem, no warnings');
  });

  test('exits 0 with a warning for what is only lost', async () => {
    const { code, stdout } = await check('logout:\n  rp_initiated: true');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^warning: .*providers\/eid\.yaml:5:1 {2}logout {2}rp_initiated has no effect/m);
  });

  test('says the same in JSON', async () => {
    const { code, stdout } = await check('response_mode: form_post', ['--online', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      valid: false,
      problems: [{ line: 5, path: 'response_mode', found: '"form_post"' }],
      warnings: [],
    });
  });

  test('asks nobody while the files themselves have problems', async () => {
    const { code, stdout } = await check('', ['--online'], { 'vestibule.yaml': 'issuer: 5\n' });
    expect(code).toBe(1);
    expect(stdout).not.toContain('redirect URI');
    expect(asked).toEqual([]);
  });

  test('goes on to the next provider when one can’t be reached', async () => {
    const gone = 'preset: generic\nname: gone\nissuer: http://127.0.0.1:9\nclient_id: us\n';
    const { code, stdout } = await check('request: pushed', ['--online'], { 'providers/gone.yaml': gone });
    expect(code).toBe(1);
    expect(stdout).toMatch(/providers\/gone\.yaml:3:9 {2}issuer {2}metadata can’t be used: .*ECONNREFUSED/);
    expect(stdout).toMatch(/providers\/eid\.yaml:5:10 {2}request/);
  });

  test.each<readonly [string, () => void, RegExp]>([
    ['another issuer', () => (answer = json({ ...able(), issuer: 'https://evil.test' })), /another issuer/],
    ['no token endpoint', () => (answer = json({ ...able(), token_endpoint: undefined })), /no token_endpoint/],
    ['a refusal', () => (answer = (response) => response.writeHead(404).end()), /answered 404/],
    ['a page', () => (answer = (response) => response.end('<html>')), /something else than a JSON object/],
    ['a redirect', () => (answer = (response) => response.writeHead(302, { location: '/x' }).end()), /redirect/],
    ['megabytes', () => (answer = (response) => response.end(`"${'x'.repeat(1_000_000)}"`)), /larger than/],
    ['nothing', () => (answer = (response) => response.destroy()), /can't be reached/],
  ])('says that metadata is %s', async (_behaviour, arrange, message) => {
    arrange();
    const { code, stdout } = await check();
    expect(code).toBe(1);
    expect(stdout).toMatch(/providers\/eid\.yaml:3:9 {2}issuer {2}metadata can’t be used: /);
    expect(stdout).toMatch(message);
  });

  test('waits five seconds for one that says nothing', async () => {
    answer = () => {};
    const started = performance.now();
    const { code, stdout } = await check();
    expect(code).toBe(1);
    expect(stdout).toMatch(/did not answer in time/);
    expect(performance.now() - started).toBeLessThan(12_000);
  }, 20_000);
});

test('config check judges provider files by their presets', async () => {
  const agov = 'preset: agov\nclient_id: us\nclient_secret: ${file:/nowhere}\nlevels: []\n';
  const { code, stdout } = await check('', [], { 'providers/agov.yaml': agov });
  expect(code).toBe(1);
  expect(stdout).toMatch(/providers\/agov\.yaml:1:1 {2}issuer {2}is not certain for agov: ask/);
  expect(stdout).toMatch(/providers\/agov\.yaml:3:16 {2}client_secret {2}secret file \/nowhere does not exist/);
});
