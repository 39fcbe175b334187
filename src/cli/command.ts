/** What a command is given to speak through; tests hand in their own. */
export interface CommandIo {
  readonly stdin: AsyncIterable<Uint8Array | string>;
  /** Results: what another program may read. */
  readonly stdout: { write(text: string): unknown };
  /** Everything else a person should see. */
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
}

/** One file of this folder. Options are read with `parseArgs` of node:util. */
export interface Command {
  /** As it is typed: `serve`, `config check`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Everything `--help` says. */
  readonly usage: string;
  /**
   * @param args what follows the command's name
   * @returns exit code: 0, or 1 when the answer is no
   * @throws UsageError (exit 2), OperatorError (exit 1, without a stack)
   */
  run(args: string[], io: CommandIo): Promise<number>;
}

/** The command was called in a way it doesn't understand: exit 2 with its usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The option by which every command finds the configuration. */
export const CONFIG_OPTION = { config: { type: 'string' } } as const;
export const CONFIG_USAGE = '--config <dir>   configuration folder (default: VESTIBULE_CONFIG, or config)';
