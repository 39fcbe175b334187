import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { unavailable } from '../../../src/kernel/errors.ts';
import type { Mail } from '../../../src/notifications/index.ts';
import type { DurableStorage } from '../../../src/storage/ports.ts';
import { engines } from '../../contracts/engines.ts';
import { type MovableClock, useWorkspace } from '../../contracts/workspace.ts';
import { composeTest, entryOf, workerOf } from './fixtures.ts';
import { type Behaviour, nobodysPort, type Sink, startSink } from './smtp-sink.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function sinkOf(behaviour?: Behaviour): Promise<Sink> {
  // smtp-server warns of its certificate, which is what the test is about.
  if (behaviour?.startTls) jest.spyOn(console, 'error').mockImplementationOnce(() => undefined);
  const sink = await startSink(behaviour);
  closing.push(() => sink.close());
  return sink;
}

function sender(...[store, port, options]: Parameters<typeof workerOf>) {
  const made = workerOf(store, port, options);
  closing.push(() => made.worker.close());
  return made;
}

const durable = Object.entries(engines).flatMap(([name, { openDurable, server }]) =>
  openDurable ? [{ name, openDurable, server }] : [],
);

describe.each(durable)('an outbox on $name', ({ openDurable, server }) => {
  beforeAll(() => server?.start());
  afterAll(() => server?.stop());
  const workspace = useWorkspace(openDurable);
  const clock = new Proxy({} as MovableClock, {
    get: (_target, name: keyof MovableClock) => {
      const value = workspace.clock[name];
      return typeof value === 'function' ? value.bind(workspace.clock) : value;
    },
  });
  const open = async (): Promise<DurableStorage['outbox']> => (await workspace.open()).outbox;
  const events = (logs: readonly Record<string, unknown>[]) => logs.map(({ event }) => event);

  test('is sent, the urgent first, and forgotten', async () => {
    const sink = await sinkOf();
    const store = await open();
    const { worker, logs, counted } = sender(store, sink.port, { clock });
    const [slow, urgent, later] = [
      entryOf(clock),
      entryOf(clock, { urgent: true }),
      entryOf(clock, { payload: { to: 'c@example.org' } }),
    ];
    await store.add([slow, urgent]);
    clock.advance(1);
    await store.add([{ ...later, createdAt: clock.seconds }]);
    expect(await worker.run()).toBe(3);
    expect(sink.messageIds()).toEqual([urgent, slow, later].map(({ id }) => `<${id}@login.example.org>`));
    expect(await store.count()).toEqual({ waiting: 0, dead: 0 });
    expect(logs).toEqual(
      [urgent, slow]
        .map(({ id }) =>
          expect.objectContaining({
            event: 'mail.sent',
            id,
            kind: 'test',
            account: 'account-1',
            notice: 'passkey_added',
          }),
        )
        .concat([expect.objectContaining({ event: 'mail.sent', id: later.id })]),
    );
    expect(counted).toEqual(['test sent', 'test sent', 'test sent']);
    expect(await worker.run()).toBe(0);
  });

  test('is sent without being told to, soon after it was owed', async () => {
    const sink = await sinkOf();
    const store = await open();
    const { worker } = sender(store, sink.port, { clock });
    worker.start();
    await wait(50);
    await store.add([entryOf(clock)]);
    while (sink.taken.length === 0) await wait(20);
    await worker.close();
    await store.add([entryOf(clock)]);
    await wait(700);
    expect(sink.taken).toHaveLength(1);
  });

  test('is dropped where nobody is to get it', async () => {
    const sink = await sinkOf();
    const store = await open();
    const { worker, logs } = sender(store, sink.port, { clock, composers: { test: async () => undefined } });
    await store.add([entryOf(clock)]);
    expect(await worker.run()).toBe(0);
    expect([sink.connections(), events(logs), await store.count()]).toEqual([
      0,
      ['mail.dropped'],
      { waiting: 0, dead: 0 },
    ]);
  });

  test('waits while no mail server is there, loses nothing, and asks ever more rarely', async () => {
    const port = await nobodysPort();
    const store = await open();
    const { worker, logs } = sender(store, port, { clock });
    const entries = [entryOf(clock), entryOf(clock), entryOf(clock)];
    await store.add(entries);
    const rests: number[] = [];
    for (let failure = 0; failure < 10; failure += 1) {
      const from = clock.now();
      const asked = logs.length;
      do {
        expect(await worker.run()).toBe(0);
        if (logs.length > asked) break;
        clock.advance(0.25);
      } while (clock.now() - from < 120_000);
      // One mail is enough to find out.
      expect(logs).toHaveLength(asked + 1);
      rests.push((clock.now() - from) / 1000);
    }
    const whole = [0, 1, 2, 4, 8, 16, 32, 60, 60, 60];
    for (const [index, rest] of rests.entries()) {
      expect(rest).toBeGreaterThanOrEqual((whole[index] ?? 0) * 0.75);
      expect(rest).toBeLessThanOrEqual((whole[index] ?? 0) + 0.25);
    }
    expect(logs[0]).toMatchObject({ event: 'mail.postponed', reason: 'ESOCKET ECONNREFUSED CONN' });
    expect(await store.count()).toEqual({ waiting: 3, dead: 0 });

    const sink = await sinkOf({ port });
    clock.advance(60);
    expect(await worker.run()).toBe(3);
    expect(sink.messageIds().toSorted()).toEqual(entries.map(({ id }) => `<${id}@login.example.org>`).toSorted());

    // All is well: the next failure is the first again.
    await sink.close();
    await store.add([entryOf(clock)]);
    await worker.run();
    await sinkOf({ port });
    clock.advance(1);
    expect(await worker.run()).toBe(1);
  });

  test.each<[string, Behaviour, Record<string, unknown>]>([
    ['says nothing to a mail', { onData: () => 'silence' }, {}],
    ['hangs up on a mail', { onData: () => 'hang-up' }, {}],
    ['is about to stop', { onRecipient: () => 421 }, {}],
    ['wants us to sign in', { onSender: () => 530 }, {}],
    ['does not know us', { account: { username: 'us', password: 'right' } }, { username: 'us', password: 'wrong' }],
    ['offers no encryption', {}, { tls: 'starttls' }],
    ['is encrypted by somebody else', { startTls: true }, { tls: 'starttls' }],
    ['speaks no TLS', {}, { tls: 'implicit' }],
  ])('waits while the mail server %s', async (_what, behaviour, settings) => {
    const sink = await sinkOf(behaviour);
    const store = await open();
    const { worker, logs } = sender(store, sink.port, { clock, settings, patience: 400 });
    await store.add([entryOf(clock), entryOf(clock)]);
    expect(await worker.run()).toBe(0);
    expect(events(logs)).toEqual(['mail.postponed']);
    expect(sink.taken).toEqual([]);
    clock.advance(1);
    expect(await worker.run()).toBe(0);
    expect(events(logs)).toEqual(['mail.postponed', 'mail.postponed']);
    expect(await store.count()).toEqual({ waiting: 2, dead: 0 });
    expect(JSON.stringify(logs)).not.toMatch(/@|secret-link/);
  });

  test('a mail server that greets nobody is waited for no longer than we are patient', async () => {
    const { createServer } = await import('node:net');
    const mute = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve) => mute.once('listening', resolve));
    closing.push(async () => mute.close());
    const store = await open();
    const { worker, logs } = sender(store, (mute.address() as { port: number }).port, { clock, patience: 300 });
    await store.add([entryOf(clock)]);
    const from = performance.now();
    await worker.run();
    expect(performance.now() - from).toBeLessThan(2000);
    expect(logs).toMatchObject([{ event: 'mail.postponed', reason: expect.stringContaining('ETIMEDOUT') }]);
  });

  test('a mail that is turned away for now is tried later, others go on', async () => {
    const greylisted = new Set(['grey@example.org']);
    const sink = await sinkOf({ onRecipient: (address) => (greylisted.delete(address) ? 451 : undefined) });
    const store = await open();
    const { worker, logs } = sender(store, sink.port, { clock });
    const grey = entryOf(clock, { to: 'grey@example.org' });
    await store.add([grey, entryOf(clock)]);
    expect(await worker.run()).toBe(1);
    expect(logs[0]).toMatchObject({ event: 'mail.postponed', id: grey.id, reason: 'EENVELOPE RCPT TO 451 5.7.1' });
    expect(await worker.run()).toBe(0);
    clock.advance(2);
    expect(await worker.run()).toBe(1);
    expect(sink.messageIds()).toContain(`<${grey.id}@login.example.org>`);
    expect(JSON.stringify(logs)).not.toMatch(/grey|@/);
  });

  test('a mail that is never taken is tried ever more rarely, and given up after three days', async () => {
    const sink = await sinkOf({ onData: () => 452 });
    const store = await open();
    const { worker, logs } = sender(store, sink.port, { clock });
    await store.add([entryOf(clock)]);
    const from = clock.seconds;
    const tries: number[] = [];
    while ((await store.count()).waiting > 0 && clock.seconds - from < 4 * DAY) {
      const before = logs.length;
      await worker.run();
      if (logs.length > before) tries.push(clock.seconds - from);
      clock.advance(tries.length < 8 ? 1 : 600);
    }
    const gaps = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
    expect(gaps.slice(0, 4).map((gap, index) => gap <= 2 ** (index + 1) && gap >= 2 ** index)).not.toContain(false);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(HOUR + 600);
    expect(tries.at(-1)).toBeGreaterThanOrEqual(3 * DAY);
    expect(tries.at(-1)).toBeLessThan(3 * DAY + 2 * HOUR);
    expect(logs.at(-1)).toMatchObject({ event: 'mail.dead', reason: 'given up: EMESSAGE DATA 452 5.7.1' });
    expect(await store.count()).toEqual({ waiting: 0, dead: 1 });
  });

  test.each<[string, Behaviour]>([
    ['recipient', { onRecipient: () => 550 }],
    ['content', { onData: () => 554 }],
  ])('a mail whose %s is refused for good is kept aside, others go on', async (_what, behaviour) => {
    let refused = 0;
    const once = (answer: (() => unknown) | undefined) => () => (refused++ === 0 ? answer?.() : undefined);
    const [[name, answer] = ['', () => undefined]] = Object.entries(behaviour);
    const sink = await sinkOf({ [name]: once(answer as () => unknown) } as Behaviour);
    const store = await open();
    const { worker, logs, counted } = sender(store, sink.port, { clock });
    await store.add([entryOf(clock), entryOf(clock)]);
    expect(await worker.run()).toBe(1);
    expect(counted).toEqual(['test dead', 'test sent']);
    expect(await store.count()).toEqual({ waiting: 0, dead: 1 });
    expect(JSON.stringify(logs)).not.toContain('@');
    clock.advance(DAY);
    expect(await worker.run()).toBe(0);
  });

  test('a sender that is refused is a mistake of ours: no mail is given up for it', async () => {
    const sink = await sinkOf({ onSender: () => 550 });
    const store = await open();
    const { worker, counted } = sender(store, sink.port, { clock });
    await store.add([entryOf(clock), entryOf(clock)]);
    expect(await worker.run()).toBe(0);
    expect(counted).toEqual(['test postponed']);
    expect(await store.count()).toEqual({ waiting: 2, dead: 0 });
  });

  test.each<[unknown]>([
    ['a@example.org, b@example.org'],
    ['a@example.org;b@example.org'],
    ['a@example.org\r\nBcc: b@example.org'],
    ['Anna <a@example.org>'],
    ['"a@example.org"@example.org'],
    ['a@example.org b@example.org'],
    [['a@example.org', 'b@example.org']],
    [{ address: 'a@example.org' }],
    [''],
    [undefined],
  ])('a mail to %j goes to nobody', async (to) => {
    const sink = await sinkOf();
    const store = await open();
    const composers = { test: async () => ({ to, subject: 's', text: 't', html: 'h' }) as Mail };
    const { worker, logs } = sender(store, sink.port, { clock, composers });
    await store.add([entryOf(clock)]);
    expect(await worker.run()).toBe(0);
    expect([sink.connections(), sink.recipients]).toEqual([0, []]);
    expect(logs).toMatchObject([{ event: 'mail.dead', reason: 'not one plain address' }]);
    expect(await store.count()).toEqual({ waiting: 0, dead: 1 });
  });

  test('what nobody can compose is kept aside, and what broke it is not quoted', async () => {
    const sink = await sinkOf();
    const store = await open();
    const composers = {
      test: async () => {
        throw new TypeError('eve@evil.example is no address');
      },
    };
    const { worker, logs, counted } = sender(store, sink.port, { clock, composers });
    await store.add([entryOf(clock), entryOf(clock, { kind: 'constructor' })]);
    await worker.run();
    expect(logs).toMatchObject([
      { event: 'mail.dead', reason: expect.stringMatching(/^not composed: TypeError at /) },
      { event: 'mail.dead', kind: 'constructor', reason: 'unknown kind' },
    ]);
    expect(JSON.stringify(logs)).not.toContain('evil');
    expect(counted).toEqual(['test dead', 'unknown dead']);
    expect(await store.count()).toEqual({ waiting: 0, dead: 2 });
  });

  test('while the composer’s storage is away a mail waits', async () => {
    const sink = await sinkOf();
    const store = await open();
    let away = true;
    const composers = {
      test: async (owed: Parameters<typeof composeTest>[0]) => {
        if (away) throw unavailable('storage.unavailable', 5);
        return composeTest(owed);
      },
    };
    const { worker } = sender(store, sink.port, { clock, composers });
    await store.add([entryOf(clock)]);
    expect(await worker.run()).toBe(0);
    away = false;
    clock.advance(2);
    expect(await worker.run()).toBe(1);
  });

  test('an outbox that can’t be read is no reason to stop', async () => {
    const sink = await sinkOf();
    const store = await open();
    let away = true;
    const wavering: typeof store = {
      add: (mails) => store.add(mails),
      claim: async (limit, lease) => {
        if (away) throw unavailable('storage.unavailable', 5);
        return store.claim(limit, lease);
      },
      done: (id) => store.done(id),
      postpone: (id, until, problem) => store.postpone(id, until, problem),
      bury: (id, problem) => store.bury(id, problem),
      count: () => store.count(),
    };
    const { worker, logs } = sender(wavering, sink.port, { clock });
    await store.add([entryOf(clock)]);
    expect(await worker.run()).toBe(0);
    expect(events(logs)).toEqual(['mail.storage_failed']);
    away = false;
    clock.advance(1);
    expect(await worker.run()).toBe(1);
  });

  test('a mail sent again has the Message-ID it had', async () => {
    let failures = 2;
    const sink = await sinkOf({ onData: () => (failures-- > 0 ? 451 : undefined) });
    const store = await open();
    const { worker } = sender(store, sink.port, { clock });
    await store.add([entryOf(clock)]);
    while (sink.taken.length === 0) {
      await worker.run();
      clock.advance(5);
    }
    const ids = sink.seen.map((mail) => /^Message-ID: .+/im.exec(mail)?.[0]);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
  });

  test('a connection that ends before "taken" costs one copy each time, never more', async () => {
    let failures = 1;
    const sink = await sinkOf({ onData: () => (failures-- > 0 ? 'hang-up' : undefined) });
    const store = await open();
    const { worker } = sender(store, sink.port, { clock });
    await store.add([entryOf(clock)]);
    await worker.run();
    expect(sink.seen).toHaveLength(1);
    clock.advance(1);
    expect(await worker.run()).toBe(1);
    expect(sink.seen).toHaveLength(2);
  });

  test('a connection the server closed while it was idle is nobody’s failure', async () => {
    const port = await nobodysPort();
    const first = await startSink({ port });
    const store = await open();
    const { worker, logs } = sender(store, port, { clock });
    await store.add([entryOf(clock)]);
    await worker.run();
    await first.close();
    const second = await sinkOf({ port });
    await store.add([entryOf(clock)]);
    expect(await worker.run()).toBe(1);
    expect([events(logs), second.taken.length]).toEqual([['mail.sent', 'mail.sent'], 1]);
  });

  test('two workers, and several connections, send each mail once', async () => {
    let [now, most] = [0, 0];
    const sink = await sinkOf({
      onData: async () => {
        most = Math.max(most, ++now);
        await wait(2);
        now -= 1;
        return undefined;
      },
    });
    const settings = { connections: 4 };
    const stores = [await open(), await open()] as const;
    const workers = stores.map((store) => sender(store, sink.port, { clock, settings }).worker);
    const entries = Array.from({ length: 80 }, () => entryOf(clock));
    await stores[0].add(entries);
    const sent = await Promise.all(workers.map((worker) => worker.run()));
    expect(sent.every((count) => count > 0)).toBe(true);
    expect(sink.messageIds().toSorted()).toEqual(entries.map(({ id }) => `<${id}@login.example.org>`).toSorted());
    expect(most).toBeLessThanOrEqual(8);
  });

  test('polling and asking don’t add up to more than the connections there are', async () => {
    let [now, most] = [0, 0];
    const sink = await sinkOf({
      onData: async () => {
        most = Math.max(most, ++now);
        await wait(5);
        now -= 1;
        return undefined;
      },
    });
    const store = await open();
    const { worker } = sender(store, sink.port, { clock, settings: { connections: 2 } });
    await store.add(Array.from({ length: 20 }, () => entryOf(clock)));
    worker.start();
    await Promise.all([worker.run(), worker.run()]);
    expect([most, sink.taken.length]).toEqual([2, 20]);
  });

  test('what a worker had when it died is sent after its lease, as the same mail', async () => {
    const sink = await sinkOf();
    const store = await open();
    const entry = entryOf(clock);
    await store.add([entry]);
    const dying = sender(store, sink.port, { clock });
    const [claimed] = await store.claim(1, 60);
    const mail = claimed && (await composeTest(claimed));
    // Sent, and never marked.
    if (mail) await dying.mailer.send(mail, entry.id);
    const { worker } = sender(await open(), sink.port, { clock });
    expect(await worker.run()).toBe(0);
    clock.advance(59);
    expect(await worker.run()).toBe(0);
    clock.advance(1);
    expect(await worker.run()).toBe(1);
    const id = `<${entry.id}@login.example.org>`;
    expect(sink.messageIds()).toEqual([id, id]);
  });

  test('closing waits for the mail under way and leaves the others to whoever comes next', async () => {
    const sink = await sinkOf({ onData: () => wait(300, undefined) });
    const store = await open();
    const { worker } = sender(store, sink.port, { clock });
    await store.add([entryOf(clock), entryOf(clock), entryOf(clock)]);
    worker.start();
    while (sink.seen.length === 0) await wait(10);
    await worker.close();
    expect([sink.taken.length, await store.count()]).toEqual([1, { waiting: 2, dead: 0 }]);
    const next = sender(store, sink.port, { clock });
    expect(await next.worker.run()).toBe(2);
  });

  test('closing cuts a mail off that takes too long; it is due again after its lease', async () => {
    let answers = 0;
    const sink = await sinkOf({ onData: () => (answers++ === 0 ? 'silence' : undefined) });
    const store = await open();
    const { worker, logs } = sender(store, sink.port, { clock, patience: 60_000 });
    await store.add([entryOf(clock)]);
    worker.start();
    while (sink.seen.length === 0) await wait(10);
    const from = performance.now();
    await worker.close();
    expect(performance.now() - from).toBeGreaterThan(9_900);
    expect(performance.now() - from).toBeLessThan(11_500);
    await wait(100);
    expect([logs, await store.count()]).toEqual([[], { waiting: 1, dead: 0 }]);
    clock.advance(60);
    const next = sender(store, sink.port, { clock });
    expect(await next.worker.run()).toBe(1);
  });
});
