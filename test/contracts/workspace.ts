import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from '@jest/globals';
import type { Clock } from '../../src/kernel/clock.ts';
import { createLogger } from '../../src/kernel/logger.ts';
import type { EngineContext, OutboxEntry } from '../../src/storage/ports.ts';
import type { Open } from './engines.ts';
import { mail } from './mails.ts';

export class MovableClock implements Clock {
  #now = Date.UTC(2030, 0, 1);

  now(): number {
    return this.#now;
  }

  get seconds(): number {
    return this.#now / 1000;
  }

  advance(seconds: number): void {
    this.#now += seconds * 1000;
  }
}

/** Log lines, parsed. */
export class LogLines {
  readonly lines: Record<string, unknown>[] = [];

  write(line: string): void {
    this.lines.push(JSON.parse(line));
  }
}

interface Closable {
  close(): Promise<void>;
}

export interface Workspace<Storage> {
  /** Data of this test alone; removed after it. */
  readonly directory: string;
  readonly clock: MovableClock;
  readonly log: LogLines;
  readonly context: EngineContext;
  /** Opens the data, once more each time: two of them stand for two processes. Closed after the test. */
  open(): Promise<Storage>;
}

/** Gives every test of the surrounding `describe` a folder, a clock and what it opens. */
export function useWorkspace<Storage extends Closable>(open: Open<Storage>): Workspace<Storage> {
  let directory = '';
  let clock = new MovableClock();
  let log = new LogLines();
  let opened: Storage[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vestibule-storage-'));
    clock = new MovableClock();
    log = new LogLines();
  });

  afterEach(async () => {
    await Promise.all(opened.map((storage) => storage.close()));
    opened = [];
    await rm(directory, { recursive: true, force: true });
  });

  return {
    get directory() {
      return directory;
    },
    get clock() {
      return clock;
    },
    get log() {
      return log;
    },
    get context() {
      return { clock, logger: createLogger('info', log) };
    },
    async open() {
      const storage = await open(directory, this.context);
      opened.push(storage);
      return storage;
    },
  };
}

/** What a parsed body or query may hold where a string is meant. */
const NOT_STRINGS: readonly unknown[] = [
  undefined,
  null,
  0,
  7,
  true,
  {},
  { $ne: '' },
  { kind: 'x', id: 'y' },
  ['id'],
  new String('id'),
  Symbol('id'),
  () => 'id',
  '\ud800',
];

/** Each of these calls must reject with TypeError whatever stands in place of the string. */
export async function expectStringsOnly(...calls: readonly ((value: string) => Promise<unknown>)[]): Promise<void> {
  for (const call of calls) {
    for (const value of NOT_STRINGS) {
      await expect(call(value as string)).rejects.toThrow(TypeError);
    }
  }
}

/** Each of these calls must reject with TypeError unless it is given an array. */
export async function expectListsOnly(...calls: readonly ((values: string[]) => Promise<unknown>)[]): Promise<void> {
  for (const call of calls) {
    const notLists: readonly unknown[] = [undefined, null, 'text', 7, {}, { 0: 'id', length: 1 }, new Set(['id'])];
    for (const value of notLists) {
      await expect(call(value as string[])).rejects.toThrow(TypeError);
    }
  }
}

/** Each of these calls must reject with TypeError unless it is given a whole number. */
export async function expectWholeNumbersOnly(
  ...calls: readonly ((value: number) => Promise<unknown>)[]
): Promise<void> {
  for (const call of calls) {
    for (const value of ['1', null, undefined, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, {}, [1]]) {
      await expect(call(value as number)).rejects.toThrow(TypeError);
    }
  }
}

/** Each of these calls must reject with TypeError unless the mails it is given are mails, all of them. */
export async function expectMailsOnly(
  ...calls: readonly ((mails: readonly OutboxEntry[]) => Promise<unknown>)[]
): Promise<void> {
  for (const call of calls) {
    const also = (more: object): Promise<unknown> => call([mail('good'), { ...mail('wrong'), ...more }]);
    await expectStringsOnly(
      (id) => also({ id }),
      (kind) => also({ kind }),
    );
    await expectWholeNumbersOnly((createdAt) => also({ createdAt }));
    for (const payload of [undefined, null, 'text', 7, ['x']])
      await expect(also({ payload })).rejects.toThrow(TypeError);
    for (const urgent of [undefined, null, 0, 1, 'true', {}]) await expect(also({ urgent })).rejects.toThrow(TypeError);
    // Absent is none, where a verb takes mails beside something else.
    await expectListsOnly((mails) =>
      mails === undefined ? Promise.reject(new TypeError()) : call(mails as unknown as OutboxEntry[]),
    );
  }
}

/** Starts all at once. @returns how many of them said true */
export async function winners(count: number, contend: (index: number) => Promise<boolean>): Promise<number> {
  const outcomes = await Promise.all(Array.from({ length: count }, (_, index) => contend(index)));
  return outcomes.filter(Boolean).length;
}
