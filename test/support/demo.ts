import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from './ports.ts';
import { ServerProcess } from './server-process.ts';

const COMMAND_LINE = resolve(import.meta.dirname, '../../src/cli/bin.js');
/** The last line of the table that the demo prints when everything runs. */
const STARTED = 'Ctrl-C stops all of it';
const VARIABLES = ['PORT', 'PORTALS_PORT', 'MAILBOX_PORT', 'SMTP_PORT', 'OPERATIONS_PORT'] as const;

export interface Demo {
  readonly issuer: string;
  /** Address of the portals, without a slash at the end. */
  readonly portals: string;
  /** Moves the clock of server and portals forward: nothing sleeps, everything that expires does. */
  advanceClock(seconds: number): Promise<void>;
  /** Ends it in order and removes what it kept. */
  stop(): Promise<void>;
}

/**
 * The real demo, as `npm run demo` starts it, on ports and in a folder that nobody else uses.
 * A file starts one for all its tests; `stop()` it in `afterAll`.
 * @param port of Vestibule, where the one shown on its pages matters
 */
export async function startDemo(port?: number): Promise<Demo> {
  const data = await mkdtemp(join(tmpdir(), 'vestibule-demo-'));
  const ports = new Map<string, number>();
  for (const variable of VARIABLES) ports.set(variable, await freePort());
  if (port) ports.set('PORT', port);
  const environment = Object.fromEntries([...ports].map(([variable, port]) => [variable, String(port)]));
  const demo = new ServerProcess(
    [COMMAND_LINE, 'demo', '--data', data],
    { PATH: process.env.PATH ?? '', ...environment },
    () => {},
  );
  let clockOffset = 0;
  const stop = async () => {
    await demo.end('SIGTERM');
    await rm(data, { recursive: true, force: true });
  };
  try {
    await demo.printed(STARTED);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    issuer: `http://localhost:${ports.get('PORT')}`,
    portals: `http://localhost:${ports.get('PORTALS_PORT')}`,
    async advanceClock(seconds) {
      clockOffset += seconds * 1000;
      await demo.moveClock(clockOffset);
    },
    stop,
  };
}
