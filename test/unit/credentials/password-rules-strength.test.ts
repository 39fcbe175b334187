import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { Strength } from '../../../src/credentials/password/strength.ts';
import { createLogger } from '../../../src/kernel/logger.ts';

const lines: Record<string, unknown>[] = [];
const logger = createLogger('info', { write: (line) => lines.push(JSON.parse(line)) });
const limits = { start: 15_000, judging: 2_000, idle: 60_000 };
const GOOD = { password: 'correct horse battery staple', words: ['alice'] };
const SLOW = { password: 'a1'.repeat(128), words: ['alice'] };

let strength: Strength;
afterEach(async () => {
  await strength.close();
  lines.length = 0;
});

test('the dictionaries are in memory from the first question until a while after the last', async () => {
  strength = new Strength(logger, { ...limits, idle: 50 });
  expect(strength.isLoaded).toBe(false);
  expect(await strength.judge(GOOD)).toBe('fine');
  expect(strength.isLoaded).toBe(true);
  while (strength.isLoaded) await sleep(10);
  expect(await strength.judge(SLOW)).toBe('guessable');
  expect(lines).toEqual([]);
});

test('questions asked at once get their own answers', async () => {
  strength = new Strength(logger);
  const questions = Array.from({ length: 20 }, (_, index) => (index % 2 ? GOOD : SLOW));
  const verdicts = await Promise.all(questions.map((question) => strength.judge(question)));
  expect(verdicts).toEqual(questions.map((question) => (question === GOOD ? 'fine' : 'guessable')));
});

test('what is not judged in time is not accepted, and the next question finds a new worker', async () => {
  strength = new Strength(logger, { ...limits, judging: 1 });
  await expect(strength.judge(SLOW)).rejects.toMatchObject({ code: 'busy', status: 503, retryAfter: 5 });
  expect(strength.isLoaded).toBe(false);
  expect(lines).toMatchObject([{ level: 'error', event: 'password.strength.failed' }]);
  expect(JSON.stringify(lines)).not.toContain(SLOW.password);
  await expect(strength.judge(SLOW)).rejects.toMatchObject({ code: 'busy' });
});

test('a worker that doesn’t start in time is given up', async () => {
  strength = new Strength(logger, { ...limits, start: 1 });
  await expect(strength.judge(GOOD)).rejects.toMatchObject({ code: 'busy' });
  expect(strength.isLoaded).toBe(false);
});

test('a question under way when the server stops fails, and nothing is left behind', async () => {
  strength = new Strength(logger);
  const asked = strength.judge(SLOW);
  await strength.close();
  await expect(asked).rejects.toMatchObject({ code: 'busy' });
  expect(strength.isLoaded).toBe(false);
});

test('beyond 64 waiting the answer is busy at once', async () => {
  strength = new Strength(logger);
  const asked = Array.from({ length: 66 }, () => strength.judge(GOOD).catch(({ code }) => code));
  const answers = await Promise.all(asked);
  expect(answers.filter((answer) => answer === 'busy')).toHaveLength(1);
});

test('the main thread keeps running while a hard one is judged', async () => {
  strength = new Strength(logger);
  await strength.judge(GOOD);
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 1);
  await strength.judge(SLOW);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(10);
});
