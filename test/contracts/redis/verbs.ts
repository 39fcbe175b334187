import { basename } from 'node:path';
import type { EphemeralStorage } from '../../../src/storage/ports.ts';
import { openEphemeral, type RedisSettings } from '../../../src/storage/redis/index.ts';
import type { Open } from '../engines.ts';

const rule = { tries: 5, first: 60, longest: 300, memory: 3600 };

/** Every verb of the half, with round trips it may take where everything is on one server. */
export const VERBS: readonly {
  readonly name: string;
  readonly trips: number;
  call(storage: EphemeralStorage, key: string, now: number): Promise<unknown>;
}[] = [
  {
    name: 'artifacts.save',
    trips: 1,
    call: ({ artifacts }, key, now) => artifacts.save('Session', key, full(key, now)),
  },
  {
    name: 'artifacts.insertOnly',
    trips: 1,
    call: ({ artifacts }, key, now) => artifacts.insertOnly('AccessToken', key, full(key, now)),
  },
  { name: 'artifacts.find', trips: 1, call: ({ artifacts }, key) => artifacts.find('Session', key) },
  { name: 'artifacts.findByUid', trips: 1, call: ({ artifacts }, key) => artifacts.findByUid('Session', key) },
  {
    name: 'artifacts.findByUserCode',
    trips: 1,
    call: ({ artifacts }, key) => artifacts.findByUserCode('Session', key),
  },
  { name: 'artifacts.consumeOnce', trips: 1, call: ({ artifacts }, key) => artifacts.consumeOnce('Session', key, 1) },
  {
    name: 'artifacts.endByAccount',
    trips: 2,
    call: ({ artifacts }, key, now) => artifacts.endByAccount('Session', key, { at: now, until: now + 600 }),
  },
  {
    name: 'artifacts.removeByGrant',
    trips: 2,
    call: ({ artifacts }, key) => artifacts.removeByGrant('AccessToken', key),
  },
  { name: 'artifacts.remove', trips: 1, call: ({ artifacts }, key) => artifacts.remove('Session', key) },
  {
    name: 'journeys.save',
    trips: 1,
    call: ({ journeys }, key, now) => journeys.save({ uid: key, state: {}, expiresAt: now + 60 }, 0),
  },
  { name: 'journeys.find', trips: 1, call: ({ journeys }, key) => journeys.find(key) },
  {
    name: 'counters.increment',
    trips: 1,
    call: ({ counters }, key) =>
      counters.increment([
        { key, windowSeconds: 60 },
        { key: `${key} 2`, windowSeconds: 60 },
      ]),
  },
  { name: 'counters.decrement', trips: 1, call: ({ counters }, key) => counters.decrement([key, `${key} 2`]) },
  { name: 'locks.take', trips: 1, call: ({ locks }, key) => locks.take(`p:${key}`, rule) },
  { name: 'locks.giveBack', trips: 1, call: ({ locks }, key) => locks.giveBack(`p:${key}`, 1, true) },
  { name: 'locks.lockedUntil', trips: 1, call: ({ locks }, key) => locks.lockedUntil(`p:${key}`) },
  { name: 'locks.clear', trips: 1, call: ({ locks }, key) => locks.clear(`p:${key}`) },
  { name: 'ping', trips: 1, call: (storage) => storage.ping() },
];

/** Verbs that write even where there is nothing. */
export const WRITES: ReadonlySet<string> = new Set([
  'artifacts.save',
  'artifacts.insertOnly',
  'journeys.save',
  'counters.increment',
  'locks.take',
  'ping',
]);

const full = (key: string, now: number) => ({
  payload: { jti: key },
  grantId: key,
  uid: key,
  userCode: key,
  accountId: key,
  expiresAt: now + 60,
});

export const settingsOf = (more: Partial<RedisSettings>): RedisSettings => ({
  engine: 'redis',
  key_prefix: 'vestibule:',
  timeout: 1,
  ...more,
});

/** Each test has its own keys, as each has its own folder. */
export const openAt =
  (settings: () => Partial<RedisSettings>): Open<EphemeralStorage> =>
  (directory, context) =>
    openEphemeral(settingsOf({ key_prefix: `${basename(directory)}:`, ...settings() }), context);

/** Tries again and again what is refused at first, and no longer than that. @returns milliseconds it took */
export async function untilItWorks(attempt: () => Promise<unknown>, withinMs: number): Promise<number> {
  const start = performance.now();
  for (;;) {
    try {
      await attempt();
      return performance.now() - start;
    } catch (error) {
      if (performance.now() - start > withinMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
