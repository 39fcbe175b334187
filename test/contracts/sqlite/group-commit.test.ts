import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { GroupCommit } from '../../../src/storage/sqlite/group-commit.ts';

const UNAVAILABLE = { code: 'storage.unavailable', status: 503, retryAfter: 5 };
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('group commit', () => {
  let directory = '';
  let database: DatabaseSync;
  let other: DatabaseSync;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vestibule-commit-'));
    const file = join(directory, 'test.db');
    database = new DatabaseSync(file);
    database.exec(`PRAGMA journal_mode = WAL; CREATE TABLE parents (id INTEGER PRIMARY KEY) STRICT;
      CREATE TABLE words (word TEXT PRIMARY KEY,
        parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED) STRICT`);
    other = new DatabaseSync(file);
  });

  afterEach(async () => {
    for (const connection of [database, other]) if (connection.isOpen) connection.close();
    await rm(directory, { recursive: true, force: true });
  });

  const add = (word: string, parent: number | null = null) => {
    database.prepare('INSERT INTO words VALUES (?, ?)').run(word, parent);
    return word;
  };
  /** As another process sees it. */
  const words = (): unknown[] =>
    other
      .prepare('SELECT word FROM words ORDER BY word')
      .all()
      .map(({ word }) => word);

  /** However slow the machine: what is asked for in one turn is in one transaction. */
  const inOneBatch = () => new GroupCommit(database, undefined, Number.POSITIVE_INFINITY);

  test('every write gets its own result, after the commit', async () => {
    const commits = inOneBatch();
    const seen: unknown[][] = [];
    const results = await Promise.all(
      ['a', 'b', 'c'].map(async (word) => {
        const result = await commits.write(() => add(word));
        seen.push(words());
        return result;
      }),
    );
    expect(results).toEqual(['a', 'b', 'c']);
    // One transaction: whoever was told first finds the others committed, too.
    expect(seen).toEqual([words(), words(), words()]);
  });

  test('nothing is written before its turn, or seen before it is committed', async () => {
    const commits = inOneBatch();
    const seen: unknown[][] = [];
    const writes = ['a', 'b'].map((word) =>
      commits.write(() => {
        add(word);
        seen.push(words());
      }),
    );
    expect(words()).toEqual([]);
    await Promise.all(writes);
    expect(seen).toEqual([[], []]);
    expect(words()).toEqual(['a', 'b']);
  });

  test('a write that fails is undone whole, and rejects alone', async () => {
    const commits = inOneBatch();
    const outcomes = await Promise.allSettled([
      commits.write(() => add('a')),
      commits.write(() => {
        add('half');
        add('a');
      }),
      commits.write(() => {
        add('other half');
        throw new Error('changed its mind');
      }),
      commits.write(() => add('b')),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { ...UNAVAILABLE, cause: { errcode: 1555 } } });
    expect(words()).toEqual(['a', 'b']);
  });

  test('when the commit fails all that were in it reject, and later ones go on', async () => {
    const commits = inOneBatch();
    const outcomes = await Promise.allSettled([
      commits.write(() => add('a')),
      // Looked at by COMMIT only: the reference is deferred.
      commits.write(() => add('orphan', 404)),
    ]);
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: UNAVAILABLE },
      { status: 'rejected', reason: UNAVAILABLE },
    ]);
    expect(await commits.write(() => add('b'))).toBe('b');
    expect(words()).toEqual(['b']);
  });

  test('a full disk: what was acknowledged is there, what was rejected is not', async () => {
    const commits = new GroupCommit(database);
    database.exec('PRAGMA max_page_count = 30');
    const sizes = [10, 10, 1_000_000, 10, 10];
    const outcomes = await Promise.allSettled(
      sizes.map((size, index) => commits.write(() => add(`${index}${'x'.repeat(size)}`)[0])),
    );
    const acknowledged = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(outcomes[2]).toMatchObject({ status: 'rejected', reason: UNAVAILABLE });
    expect(words().map((word) => String(word)[0])).toEqual(acknowledged);
    expect(database.isTransaction).toBe(false);
    expect(await commits.write(() => add('later'))).toBe('later');
  });

  test('a long queue does not hold the event loop: others get their turn in between', async () => {
    const commits = new GroupCommit(database);
    let left = 1000;
    const writes = Promise.all(
      Array.from({ length: left }, async (_, index) => {
        await commits.write(() => add(`${index}`));
        left -= 1;
      }),
    );
    const progress: number[] = [];
    while (left > 0) {
      await nextTurn();
      progress.push(left);
    }
    await writes;
    expect(progress.filter((remaining) => remaining > 0 && remaining < 1000).length).toBeGreaterThanOrEqual(3);
    expect(words()).toHaveLength(1000);
  });

  test('a lock of another process is waited for off the thread', async () => {
    const commits = new GroupCommit(database);
    other.exec("BEGIN IMMEDIATE; INSERT INTO words VALUES ('theirs', NULL)");
    const ours = [commits.write(() => add('ours')), commits.write(() => add('ours, too'))];
    await nextTurn();
    await nextTurn();
    // Asked for while the lock is taken: waits with the others, in order.
    ours.push(commits.write(() => add('ours as well')));
    other.exec('COMMIT');
    expect(await Promise.all(ours)).toEqual(['ours', 'ours, too', 'ours as well']);
    expect(words()).toHaveLength(4);
  });

  test('a lock that is never given up ends in a refusal', async () => {
    const commits = new GroupCommit(database, 0);
    other.exec('BEGIN IMMEDIATE');
    const refused = await Promise.allSettled([commits.write(() => add('a')), commits.write(() => add('b'))]);
    expect(refused).toMatchObject([
      { status: 'rejected', reason: UNAVAILABLE },
      { status: 'rejected', reason: UNAVAILABLE },
    ]);
    other.exec('ROLLBACK');
    expect(await commits.write(() => add('c'))).toBe('c');
    expect(words()).toEqual(['c']);
  });

  test('closing waits for the writes that wait for a lock', async () => {
    const commits = new GroupCommit(database);
    other.exec('BEGIN IMMEDIATE');
    const write = commits.write(() => add('a'));
    const closed = commits.close();
    await nextTurn();
    other.exec('ROLLBACK');
    await closed;
    expect(words()).toEqual(['a']);
    await write;
    await expect(commits.write(() => add('b'))).rejects.toMatchObject(UNAVAILABLE);
  });
});
