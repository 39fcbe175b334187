import { afterAll, describe, expect, test } from '@jest/globals';
import bcrypt from 'bcryptjs';
import { Bcrypt } from '../../../src/credentials/password/bcrypt.ts';
import { PasswordHashes } from '../../../src/credentials/password/hashes.ts';
import { systemRandom } from '../../../src/kernel/random.ts';

const argon2id = { memory_kib: 8192, iterations: 1, parallelism: 1 };
const worker = new Bcrypt();
const withArgon2 = new PasswordHashes({ hash: 'argon2id', argon2id, bcrypt: { cost: 10 } }, systemRandom, worker);
const withBcrypt = new PasswordHashes({ hash: 'bcrypt', argon2id, bcrypt: { cost: 10 } }, systemRandom, worker);

afterAll(() => worker.close());

describe('Argon2id', () => {
  test('a hash verifies its password and no other', async () => {
    const hash = await withArgon2.hash('correct horse battery');
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=8192,t=1,p=1\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/);
    expect(await withArgon2.verify('correct horse battery', hash)).toBe(true);
    expect(await withArgon2.verify('correct horse batterz', hash)).toBe(false);
  });

  test('a hash of the reference implementation verifies', async () => {
    // `echo -n password | argon2 somesalt -id -v 13 -t 2 -m 16 -p 1 -l 32` of the Argon2 reference implementation.
    const reference = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    expect(await withArgon2.verify('password', reference)).toBe(true);
  });

  test('nobody has no password: the hash of nobody never verifies', async () => {
    expect(await withArgon2.verify('', undefined)).toBe(false);
    expect(await withArgon2.verify('anything', undefined)).toBe(false);
  });

  test('a hash with unbounded cost is refused, not computed', async () => {
    const bomb = '$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    await expect(withArgon2.verify('password', bomb)).rejects.toThrow('no known format');
  });

  test.each([
    ['weaker parameters', '$argon2id$v=19$m=4096,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$Zm9vZm9vZm9vZm9vZm9vZm9vZm9v', true],
    ['another kind', '$2b$10$abcdefghijklmnopqrstuuXLbnr9A4cJ.VYGdYjeKZPzYVjGwU2ei', true],
    ['today’s parameters', '$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$Zm9vZm9vZm9vZm9vZm9vZm9vZm9v', false],
  ])('a hash of %s is outdated: %s → %s', (_what, hash, outdated) => {
    expect(withArgon2.isOutdated(hash)).toBe(outdated);
  });
});

describe('bcrypt', () => {
  const password = `${'p'.repeat(70)}ab`;

  test('a hash made elsewhere verifies', async () => {
    expect(await withArgon2.verify('s3cret', bcrypt.hashSync('s3cret', 4))).toBe(true);
  });

  // security-catalogue 9
  test('bytes after the 72nd are refused, not ignored', async () => {
    const hash = bcrypt.hashSync(password, 4);
    expect(await withBcrypt.verify(password, hash)).toBe(true);
    expect(await withBcrypt.verify(`${password}x`, hash)).toBe(false);
    expect(await withBcrypt.verify(`${'é'.repeat(36)}x`, bcrypt.hashSync('é'.repeat(36), 4))).toBe(false);
    await expect(withBcrypt.hash(`${password}x`)).rejects.toThrow(RangeError);
    await expect(withBcrypt.hash('é'.repeat(37))).rejects.toThrow(RangeError);
  });

  test('the main thread keeps running while a hash is computed', async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    await withBcrypt.hash('not on the main thread');
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });
});
