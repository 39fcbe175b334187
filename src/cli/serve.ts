import type { EventEmitter } from 'node:events';
import { flushCompileCache } from 'node:module';
import { parseArgs } from 'node:util';
import { ConfigError, checkConfig, configDirectory, problemText } from '../config/index.ts';
import { checkProvider } from '../federation/index.ts';
import { OperatorError } from '../kernel/errors.ts';
import type { Vestibule } from '../main.ts';
import { CONFIG_OPTION, CONFIG_USAGE, type Command, type CommandIo } from './command.ts';

/** npm passes Ctrl-C on to a process that got it already: the same signal again at once is no impatience. */
const IMPATIENT_AFTER = 2000;

/**
 * @param signals the process, or what stands for it in a test
 * @param giveUp what to do when the operator asks again while the server is still stopping
 * @returns a promise of the first SIGTERM or SIGINT
 */
export function stopRequested(signals: EventEmitter, giveUp: () => void): Promise<void> {
  return new Promise((resolve) => {
    let since: number | undefined;
    const onSignal = () => {
      if (since === undefined) {
        since = performance.now();
        resolve();
      } else if (performance.now() - since > IMPATIENT_AFTER) giveUp();
    };
    signals.on('SIGTERM', onSignal);
    signals.on('SIGINT', onSignal);
  });
}

/** What went wrong while opening a port, in words an operator can act on. */
export function startFailure(error: unknown): unknown {
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const where = `${address}:${port}`;
  if (code === 'EADDRINUSE') {
    return new OperatorError(
      `${where} is in use by another program: set another listen.port or operations.port (PORT, OPERATIONS_PORT).`,
    );
  }
  if (code === 'EADDRNOTAVAIL')
    return new OperatorError(`${where} is no address of this machine: set listen.host (HOST).`);
  if (code === 'EACCES' && port) return new OperatorError(`This user may not open port ${port}: take one above 1023.`);
  return error;
}

/** SIGHUP: the files anew if they are valid, else every problem and the running configuration stays. */
async function reloadFiles(directory: string, server: Vestibule, stderr: CommandIo['stderr']): Promise<void> {
  const { config, problems } = checkConfig(directory, undefined, checkProvider);
  if (!config) {
    stderr.write(`not reloaded, the running configuration stays:\n${problems.map(problemText).join('\n')}\n`);
    return;
  }
  try {
    await server.reload(config);
  } catch (error) {
    stderr.write(`not reloaded, the running configuration stays: ${error instanceof Error ? error.message : error}\n`);
  }
}

export const serve: Command = {
  name: 'serve',
  summary: 'start the server',
  usage: `
Usage: vestibule serve [--config <dir>]

Starts the server and runs until SIGTERM or SIGINT, which let requests under way finish. Refuses to
start on an invalid configuration and lists everything that is wrong. One JSON line per event on
standard output. SIGHUP reads the files again: what is invalid is listed on standard error and
changes nothing.

  ${CONFIG_USAGE}`,

  async run(args, { stderr }) {
    const { values } = parseArgs({ args, options: CONFIG_OPTION });
    const directory = values.config ?? configDirectory();
    const { config, problems, warnings } = checkConfig(directory, undefined, checkProvider);
    for (const warning of warnings) stderr.write(`warning: ${problemText(warning)}\n`);
    if (!config) throw new ConfigError(directory, problems);

    // Listening for signals first: one that comes while starting is not lost.
    const stopped = stopRequested(process, () => process.exit(1));
    const { start } = await import('../main.ts');
    const server = await start(config).catch((error: unknown) => {
      throw startFailure(error);
    });
    // Written now, as a server may never end in order.
    flushCompileCache();
    const onReload = () => void reloadFiles(directory, server, stderr);
    process.on('SIGHUP', onReload);
    await stopped;
    process.off('SIGHUP', onReload);
    await server.close();
    return 0;
  },
};
