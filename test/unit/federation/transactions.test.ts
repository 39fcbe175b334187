import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTransactions, type Transaction, type Transactions } from '../../../src/federation/transactions.ts';
import { createLogger } from '../../../src/kernel/logger.ts';
import { systemRandom } from '../../../src/kernel/random.ts';
import type { EphemeralStorage } from '../../../src/storage/ports.ts';
import { openEphemeral } from '../../../src/storage/registry.ts';
import { clock, secretBox } from './arrange.ts';

let folder: string;
let ephemeral: EphemeralStorage;
let transactions: Transactions;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vestibule-transactions-'));
  const context = { clock, logger: createLogger('silent') };
  ephemeral = await openEphemeral({ engine: 'sqlite', path: join(folder, 'ephemeral.db') }, context);
  transactions = createTransactions({ store: ephemeral.artifacts, secretBox, clock });
});
afterAll(async () => {
  await ephemeral.close();
  await rm(folder, { recursive: true });
});

const begun = (over: Partial<Transaction> = {}): Transaction => ({
  provider: 'evil',
  purpose: 'sign-in',
  binding: 'interaction-1',
  resume: '/interaction/interaction-1/external',
  secrets: {
    state: systemRandom.bytes(32).toString('hex'),
    nonce: 'a-nonce-nobody-may-read',
    codeVerifier: 'a-verifier-nobody-may-read',
    wanted: { acr: ['urn:high'] },
    askedAt: 1,
  },
  ...over,
});
const mine = { provider: 'evil', purpose: 'sign-in', binding: 'interaction-1' };
const answer = (code = 'a-code-nobody-may-read') => new URLSearchParams({ code, 'a b': 'é&' });
/** What a browser is sent back with. */
const broughtTo = (path: string): string => {
  const { pathname, searchParams } = new URL(path, 'http://localhost');
  expect(pathname).toBe(begun().resume);
  return searchParams.get('answer') ?? '';
};
const bring = async (state: string, given = answer()): Promise<string> =>
  broughtTo(await transactions.deliver('evil', state, given));
const refused = (why: string) => ({ name: 'UpstreamError', reason: 'transaction', message: why });

test('what was begun comes back with the answer, once', async () => {
  const transaction = begun();
  const state = await transactions.begin(transaction);
  expect(state).toBe(transaction.secrets.state);
  const brought = await bring(state);
  const { parameters, ...rest } = await transactions.redeem(brought, mine);
  expect(rest).toEqual(transaction);
  expect(parameters.toString()).toBe(answer().toString());
  await expect(transactions.redeem(brought, mine)).rejects.toMatchObject(refused('used before'));
  await expect(transactions.deliver('evil', state, answer())).rejects.toMatchObject(refused('used before'));
  await expect(transactions.begin(transaction)).rejects.toMatchObject(refused('begun before'));
});

test('other provider, other purpose, other browser: refused, and the right one still gets it', async () => {
  const state = await transactions.begin(begun());
  await expect(transactions.deliver('other', state, answer())).rejects.toMatchObject(refused('of another provider'));
  await expect(transactions.redeem(state, mine)).rejects.toMatchObject(refused('not answered yet'));
  const brought = await bring(state);
  for (const [over, why] of [
    [{ provider: 'other' }, 'of another provider'],
    [{ purpose: 'link' }, 'for another purpose'],
    [{ binding: 'interaction-2' }, 'of another browser'],
  ] as const) {
    await expect(transactions.redeem(brought, { ...mine, ...over })).rejects.toMatchObject(refused(why));
  }
  expect(await transactions.redeem(brought, mine)).toMatchObject({ purpose: 'sign-in' });
});

test('the same answer again is a reloaded page, another is refused', async () => {
  const state = await transactions.begin(begun());
  const brought = await bring(state);
  expect(await bring(state)).toBe(brought);
  await expect(transactions.deliver('evil', state, answer('of an attacker'))).rejects.toMatchObject(
    refused('answered before'),
  );
  expect((await transactions.redeem(brought, mine)).parameters.get('code')).toBe(answer().get('code'));
});

test('who began and did not bring the answer gets nothing for it, however they name it', async () => {
  const state = await transactions.begin(begun());
  const brought = await bring(state);
  for (const guess of [state, `${state}.`, `${state}.${'0'.repeat(64)}`, brought.slice(0, -1), `${brought}0`])
    await expect(transactions.redeem(guess, mine)).rejects.toMatchObject(refused('brought by another browser'));
  expect(await transactions.redeem(brought, mine)).toMatchObject({ purpose: 'sign-in' });
});

test('of fifty at once one gets it', async () => {
  const state = await transactions.begin(begun());
  const brought = await bring(state);
  const results = await Promise.allSettled(Array.from({ length: 50 }, () => transactions.redeem(brought, mine)));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('ten minutes', async () => {
  const [state, late] = [await transactions.begin(begun()), await transactions.begin(begun())];
  clock.advance(590);
  const [brought, broughtLate] = [await bring(state), await bring(late)];
  await transactions.redeem(brought, mine);
  clock.advance(20);
  await expect(transactions.redeem(broughtLate, mine)).rejects.toMatchObject({ reason: 'expired' });
  // Whoever answers too late is led back to where they began, and finds nothing there.
  const slow = await transactions.begin(begun());
  clock.advance(600);
  await expect(transactions.redeem(await bring(slow), mine)).rejects.toMatchObject({ reason: 'expired' });
  clock.advance(3600);
  await expect(transactions.deliver('evil', slow, answer())).rejects.toMatchObject(refused('unknown'));
});

test('a state nobody made, an answer that is too long', async () => {
  await expect(transactions.redeem('0'.repeat(64), mine)).rejects.toMatchObject(refused('unknown'));
  await expect(transactions.deliver('evil', '', answer())).rejects.toMatchObject(refused('unknown'));
  const state = await transactions.begin(begun());
  await expect(transactions.deliver('evil', state, answer('x'.repeat(20_000)))).rejects.toMatchObject({
    reason: 'parameters',
  });
});

test('nothing of it lies on the disk in clear', async () => {
  const state = await transactions.begin(begun());
  await transactions.deliver('evil', state, answer());
  const files = ['ephemeral.db', 'ephemeral.db-wal'].map((name) =>
    readFile(join(folder, name), 'latin1').catch(() => ''),
  );
  const disk = (await Promise.all(files)).join('');
  expect(disk.length).toBeGreaterThan(1_000);
  expect(disk).toContain('FederationTransaction');
  expect(disk).not.toMatch(/nobody-may-read/);
  expect(disk).not.toContain(state);
});
