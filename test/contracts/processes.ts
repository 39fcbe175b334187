import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/kernel/clock.ts';
import { type EngineUnderTest, engines, type Open } from './engines.ts';
import { useWorkspace } from './workspace.ts';

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** With real processes: what a second one may do, and what is left after `kill -9`. */
export function processContract(engineName: string): void {
  const engine = engines[engineName] as EngineUnderTest;
  const { acknowledged: enough = 400 } = engine;

  describe('several processes', () => {
    const children: Child[] = [];
    const serverVariable = (): Record<string, string | undefined> => {
      const { variable } = engine.server ?? {};
      return variable === undefined ? {} : { [variable]: process.env[variable] };
    };
    // Children know no fake clock.
    const realTime = <Storage>(open: Open<Storage> | undefined): Open<Storage> => {
      if (!open) return () => Promise.reject(new Error(`${engineName} has no such half`));
      return (directory, context) => open(directory, { ...context, clock: systemClock });
    };
    const durable = useWorkspace(realTime(engine.openDurable));
    const ephemeral = useWorkspace(realTime(engine.openEphemeral));
    /** A half the engine doesn't have promises nothing. */
    const testOf = (half: 'openDurable' | 'openEphemeral') => (engine[half] ? test : () => undefined);

    const start = (fixture: string, ...parameters: string[]): { child: Child; lines: AsyncIterator<string> } => {
      const file = join(import.meta.dirname, 'fixtures', fixture);
      const child = spawn(process.execPath, [file, engineName, ...parameters], {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { PATH: process.env.PATH, ...serverVariable() },
      });
      children.push(child);
      return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
    };
    afterEach(() => {
      for (const child of children.splice(0)) child.kill('SIGKILL');
    });

    /** Lets a process write until it has acknowledged enough, and kills it in the middle of its work. */
    const killWhileWriting = async (half: string, directory: string): Promise<string[]> => {
      const { child, lines } = start('endless-writer.ts', half, directory);
      const acknowledged: string[] = [];
      for (let line = await lines.next(); !line.done; line = await lines.next()) {
        acknowledged.push(line.value);
        // What it had written to the pipe before it died was acknowledged, too: read on to the end.
        if (acknowledged.length === enough) child.kill('SIGKILL');
      }
      expect(acknowledged.length).toBeGreaterThanOrEqual(enough);
      return acknowledged;
    };

    testOf('openDurable')('kill -9: every acknowledged write of the durable half is found', async () => {
      const acknowledged = await killWhileWriting('durable', durable.directory);
      const storage = await durable.open();
      for (const key of acknowledged) {
        expect((await storage.accounts.findByIdentifier(`identifier-${key}`))?.id).toBe(`account-${key}`);
        expect(await storage.credentials.find(`account-${key}`, 'password', 'current')).toBeDefined();
        expect((await storage.artifacts.find('RefreshToken', `token-${key}`))?.consumedAt).toBeDefined();
      }
    });

    testOf('openDurable')('kill -9: of a change and its mail both are found, or neither', async () => {
      const acknowledged = await killWhileWriting('durable', durable.directory);
      const { accounts, credentials, audit, outbox } = await durable.open();
      const mails = new Set((await outbox.claim(100_000, 60)).map(({ id }) => id));
      for (const key of acknowledged) {
        for (const changed of ['credential', 'account', 'event']) expect(mails).toContain(`${changed} ${key}`);
      }
      // What was under way was not acknowledged: whatever is there of it is there whole.
      const keys = new Set(Array.from(mails, (id) => id.split(' ')[1] ?? ''));
      for (const { accountId } of await audit.list({ limit: 100_000 })) keys.add(String(accountId).slice(8));
      for (const key of keys) {
        const id = `account-${key}`;
        expect(mails.has(`credential ${key}`)).toBe((await credentials.all(id)).length === 1);
        expect(mails.has(`account ${key}`)).toBe((await accounts.find(id))?.version === 2);
        expect(mails.has(`event ${key}`)).toBe((await audit.list({ accountId: id, limit: 1 })).length === 1);
      }
    });

    testOf('openEphemeral')('kill -9: every acknowledged write of the ephemeral half is found', async () => {
      const acknowledged = await killWhileWriting('ephemeral', ephemeral.directory);
      const storage = await ephemeral.open();
      for (const key of acknowledged) {
        expect((await storage.artifacts.find('AuthorizationCode', `code-${key}`))?.consumedAt).toBeDefined();
        expect((await storage.journeys.find(`journey-${key}`))?.version).toBe(2);
        expect(await storage.locks.lockedUntil(`name-${key}`)).toBeDefined();
      }
      const [reading] = await storage.counters.increment([{ key: 'writes', windowSeconds: 3600 }]);
      expect(reading?.count).toBeGreaterThan(acknowledged.length);
    });

    /** Starts so many at once. @returns what each of them got */
    const contend = async <Got>(count: number, contest: string, directory: string): Promise<Got[]> => {
      const contenders = Array.from({ length: count }, () => start('contender.ts', contest, directory));
      for (const { lines } of contenders) expect((await lines.next()).value).toBe('ready');
      for (const { child } of contenders) child.stdin.end('go\n');
      return Promise.all(contenders.map(async ({ lines }): Promise<Got> => JSON.parse((await lines.next()).value)));
    };

    testOf('openEphemeral')(
      'processes that start together on no data contend: every code is used once, every count read once',
      async () => {
        const results = await contend<{ won: string[]; counts: number[] }>(4, 'codes', ephemeral.directory);
        const won = results.flatMap((result) => result.won);
        const counts = results.flatMap((result) => result.counts);
        expect(won).toHaveLength(200);
        expect(new Set(won).size).toBe(200);
        expect(counts.sort((left, right) => left - right)).toEqual(counts.map((_, index) => index + 1));
      },
    );

    testOf('openEphemeral')(
      'two processes guess: of 50 tries of each name those before the lock are admitted, each once',
      async () => {
        type Got = { admitted: [name: string, nth: number][]; refused: number };
        const results = await contend<Got>(2, 'tries', ephemeral.directory);
        const all = results.flatMap(({ admitted }) => admitted);
        for (let index = 0; index < 20; index++) {
          const admitted = all.flatMap(([name, nth]) => (name === `name-${index}` ? [nth] : []));
          expect(admitted.sort((left, right) => left - right)).toEqual([1, 2, 3, 4, 5]);
        }
        expect(results.reduce((sum, { refused }) => sum + refused, 0)).toBe(20 * 45);
      },
    );

    testOf('openDurable')('two processes send: each mail is with one of them', async () => {
      const claimed = (await contend<string[]>(2, 'mails', durable.directory)).flat();
      expect(claimed).toHaveLength(60);
      expect(new Set(claimed).size).toBe(60);
    });
  });
}
