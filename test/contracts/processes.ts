import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/kernel/clock.ts';
import type { EngineContext } from '../../src/storage/ports.ts';
import { type EngineUnderTest, engines } from './engines.ts';
import { useWorkspace } from './workspace.ts';

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** How many acknowledged writes to see before the process is killed. */
const ACKNOWLEDGED = 400;

/** With real processes: what a second one may do, and what is left after `kill -9`. */
export function processContract(engineName: string): void {
  const engine = engines[engineName] as EngineUnderTest;

  describe('several processes', () => {
    const children: Child[] = [];
    // Children know no fake clock.
    const realTime = (context: EngineContext): EngineContext => ({ ...context, clock: systemClock });
    const durable = useWorkspace((directory, context) => engine.openDurable(directory, realTime(context)));
    const ephemeral = useWorkspace((directory, context) => engine.openEphemeral(directory, realTime(context)));

    const start = (fixture: string, ...parameters: string[]): { child: Child; lines: AsyncIterator<string> } => {
      const file = join(import.meta.dirname, 'fixtures', fixture);
      const child = spawn(process.execPath, [file, engineName, ...parameters], {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { PATH: process.env.PATH },
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
        if (acknowledged.length === ACKNOWLEDGED) child.kill('SIGKILL');
      }
      expect(acknowledged.length).toBeGreaterThanOrEqual(ACKNOWLEDGED);
      return acknowledged;
    };

    test('kill -9: every acknowledged write of the durable half is found', async () => {
      const acknowledged = await killWhileWriting('durable', durable.directory);
      const storage = await durable.open();
      for (const key of acknowledged) {
        expect((await storage.accounts.findByIdentifier(`identifier-${key}`))?.id).toBe(`account-${key}`);
        expect(await storage.credentials.find(`account-${key}`, 'password', 'current')).toBeDefined();
        expect((await storage.artifacts.find('RefreshToken', `token-${key}`))?.consumedAt).toBeDefined();
      }
    });

    test('kill -9: every acknowledged write of the ephemeral half is found', async () => {
      const acknowledged = await killWhileWriting('ephemeral', ephemeral.directory);
      const storage = await ephemeral.open();
      for (const key of acknowledged) {
        expect((await storage.artifacts.find('AuthorizationCode', `code-${key}`))?.consumedAt).toBeDefined();
        expect((await storage.journeys.find(`journey-${key}`))?.version).toBe(2);
      }
      const [reading] = await storage.counters.increment([{ key: 'writes', windowSeconds: 3600 }]);
      expect(reading?.count).toBeGreaterThan(acknowledged.length);
    });

    test('processes that start together on no data contend: every code is used once, every count read once', async () => {
      const contenders = Array.from({ length: 4 }, () => start('contender.ts', ephemeral.directory));
      for (const { lines } of contenders) expect((await lines.next()).value).toBe('ready');
      for (const { child } of contenders) child.stdin.end('go\n');
      const won: string[] = [];
      const counts: number[] = [];
      for (const { lines } of contenders) {
        const result: { won: string[]; counts: number[] } = JSON.parse((await lines.next()).value);
        won.push(...result.won);
        counts.push(...result.counts);
      }
      expect(won).toHaveLength(200);
      expect(new Set(won).size).toBe(200);
      expect(counts.sort((left, right) => left - right)).toEqual(counts.map((_, index) => index + 1));
    });
  });
}
