import type { Logger } from '../../kernel/logger.ts';
import { storageFailure } from '../failure.ts';
import { type Client, reconnectAfter } from './client.ts';
import { type Cleaner, createCleaner } from './failure.ts';
import type { ScriptName } from './scripts.ts';

/** Verbs under way at the same time; further ones are refused. Bounds what a slow server costs in memory. */
const MOST_UNDER_WAY = 5000;

/** Keys looked at in one step of a scan. */
const SCANNED = 1000;

type Argument = string | number;
type Commands = Readonly<Record<string, ((...values: Argument[]) => Promise<unknown>) | undefined>>;

/** One verb of a port on its way: what it may send. */
export interface Call {
  script(name: ScriptName, keys: readonly string[], ...values: Argument[]): Promise<unknown>;
  get(key: string): Promise<string | null>;
  /** Members of an index, those that count longest first. */
  members(index: string): Promise<string[]>;
  command(name: 'set' | 'del' | 'hget' | 'hkeys' | 'hdel', ...values: Argument[]): Promise<unknown>;
  /** Keys that begin so, of every master, in no order; some may come twice. Never for a server: it looks at all keys. */
  scan(prefix: string, found: (keys: readonly string[]) => Promise<void>): Promise<void>;
  /** A long piece of work got on: its time begins anew. */
  gotOn(): void;
}

/**
 * What the stores send their commands through. Every verb is answered within the time-out or
 * rejects: `storage.unavailable` for whatever went wrong. A verb that was given up sends nothing more,
 * but what it had sent may still be executed; nobody may conclude the contrary.
 */
export class Connection {
  readonly isCluster: boolean;
  readonly #client: Client;
  readonly #logger: Logger;
  readonly #timeoutMs: number;
  readonly #clean: Cleaner;
  #underWay = 0;
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;
  #isLost = false;

  /** @param client connected */
  constructor(client: Client, timeoutMs: number, logger: Logger) {
    this.#client = client;
    this.isCluster = client.isCluster;
    this.#timeoutMs = timeoutMs;
    this.#logger = logger;
    this.#clean = createCleaner(client.secrets);
    this.#watch();
  }

  /** @throws VestibuleError `storage.unavailable` */
  ask<Result>(work: (call: Call) => Promise<Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const refuse = (cause: unknown): void => reject(storageFailure(this.#clean(cause)));
      if (this.#closing) return refuse(new Error('the connection is closed'));
      if (this.#underWay >= MOST_UNDER_WAY) return refuse(new Error(`${MOST_UNDER_WAY} commands are waiting already`));
      this.#underWay += 1;
      let isOver = false;
      const timer = setTimeout(() => {
        isOver = true;
        refuse(new Error(`no answer within ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
      const settled = (): void => {
        clearTimeout(timer);
        this.#underWay -= 1;
        if (this.#underWay === 0) this.#idle?.();
      };
      const call = this.#call(
        () => isOver,
        () => timer.refresh(),
      );
      work(call).then(
        (result) => {
          settled();
          resolve(result);
        },
        (cause: unknown) => {
          settled();
          refuse(cause);
        },
      );
    });
  }

  /** Refuses what comes from now on; resolves when what was under way is answered or given up. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#underWay > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
        timer = setTimeout(resolve, 2 * this.#timeoutMs);
      });
      clearTimeout(timer);
    }
    this.#client.redis.disconnect();
  }

  #call(isOver: () => boolean, refresh: () => void): Call {
    const { redis } = this.#client;
    const commands = redis as unknown as Commands;
    const send = (name: string, ...values: Argument[]): Promise<unknown> => {
      const command = commands[name];
      if (isOver() || !command) return Promise.reject(new Error('given up'));
      return command.apply(redis, values);
    };
    return {
      script: (name, keys, ...values) => send(name, keys.length, ...keys, ...values),
      get: (key) => send('get', key) as Promise<string | null>,
      members: (index) => send('zrevrange', index, 0, -1) as Promise<string[]>,
      command: send,
      scan: async (prefix, found) => {
        const pattern = `${prefix.replace(/[\\*?[\]^]/g, '\\$&')}*`;
        for (const node of 'nodes' in redis ? redis.nodes('master') : [redis]) {
          let cursor = '0';
          do {
            if (isOver()) throw new Error('given up');
            const [next, keys] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', SCANNED);
            await found(keys);
            cursor = next;
            if (!isOver()) refresh();
          } while (cursor !== '0');
        }
      },
      gotOn: () => {
        if (!isOver()) refresh();
      },
    };
  }

  /** Says once that Redis is gone, and once that it is back. */
  #watch(): void {
    const { redis, place } = this.#client;
    let last: Error | undefined;
    redis.on('error', (error: unknown) => {
      last = this.#clean(error);
    });
    redis.on('node error', (error: unknown) => {
      last = this.#clean(error);
    });
    redis.on('close', () => {
      if (this.#closing || this.#isLost) return;
      this.#isLost = true;
      this.#logger.error({ event: 'storage.redis.lost', place, err: last }, 'The connection to Redis is lost');
    });
    redis.on('ready', () => {
      if (this.#isLost) this.#logger.info({ event: 'storage.redis.back', place }, 'The connection to Redis is back');
      this.#isLost = false;
      last = undefined;
    });
    // The driver gives up for good after some errors while connecting; a server must not.
    redis.on('end', () => {
      if (this.#closing) return;
      setTimeout(() => {
        if (!this.#closing) redis.connect().catch((error: unknown) => (last = this.#clean(error)));
      }, reconnectAfter(10)).unref();
    });
    // New nodes of a cluster are connected before somebody waits for them.
    redis.on('+node', (node: { status: string; connect(): Promise<void> }) => {
      setImmediate(() => {
        if (node.status === 'wait') node.connect().catch((error: unknown) => (last = this.#clean(error)));
      });
    });
  }
}
