import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { OperatorError } from '../../../src/kernel/errors.ts';
import { SecretBox } from '../../../src/kernel/secret-box.ts';

const masterKey = () => randomBytes(32).toString('base64');

describe('SecretBox', () => {
  test.each(['', 'a', 'JBSWY3DPEHPK3PXP', '{"kty":"RSA"}', 'é'.repeat(5000)])(
    'opens what it sealed (%#)',
    (plaintext) => {
      const box = new SecretBox([masterKey()]);
      const sealed = box.seal('totp seed', plaintext);
      expect(box.open('totp seed', sealed)).toBe(plaintext);
    },
  );

  test('shows nothing of the plaintext, nor that two plaintexts are equal', () => {
    const box = new SecretBox([masterKey()]);
    const sealed = box.seal('totp seed', 'JBSWY3DPEHPK3PXP');
    expect(sealed).toMatch(/^v1\.[0-9a-f]{8}\.[A-Za-z0-9_-]+$/);
    expect(Buffer.from(sealed.split('.')[2] ?? '', 'base64url').toString('latin1')).not.toContain('JBSWY3DP');
    expect(box.seal('totp seed', 'JBSWY3DPEHPK3PXP')).not.toBe(sealed);
  });

  test('refuses to open for another purpose', () => {
    const box = new SecretBox([masterKey()]);
    const sealed = box.seal('totp seed', 'secret');
    expect(() => box.open('signing key', sealed)).toThrow();
  });

  test('refuses every alteration: initialisation vector, ciphertext and tag', () => {
    const box = new SecretBox([masterKey()]);
    const [format, keyId, body = ''] = box.seal('totp seed', 'secret').split('.');
    const bytes = Buffer.from(body, 'base64url');
    for (let index = 0; index < bytes.length; index++) {
      const altered = Buffer.from(bytes);
      altered.writeUInt8(altered.readUInt8(index) ^ 1, index);
      expect(() => box.open('totp seed', `${format}.${keyId}.${altered.toString('base64url')}`)).toThrow();
    }
  });

  test.each(['', 'secret', 'v1', 'v1.00000000', 'v2.00000000.AAAA', 'v1..AAAA'])(
    'refuses what is not sealed: "%s"',
    (text) => {
      expect(() => new SecretBox([masterKey()]).open('totp seed', text)).toThrow('not a sealed value');
    },
  );

  test('refuses a value cut short', () => {
    const box = new SecretBox([masterKey()]);
    const sealed = box.seal('totp seed', 'secret');
    expect(() => box.open('totp seed', sealed.slice(0, -4))).toThrow();
    expect(() => box.open('totp seed', sealed.slice(0, 16))).toThrow();
  });

  describe('with several master keys', () => {
    const [older, newer] = [masterKey(), masterKey()];

    test('the first seals and every one opens', () => {
      const before = new SecretBox([older]);
      const during = new SecretBox([newer, older]);
      const after = new SecretBox([newer]);
      expect(during.open('totp seed', before.seal('totp seed', 'old'))).toBe('old');
      expect(after.open('totp seed', during.seal('totp seed', 'new'))).toBe('new');
    });

    test('a key that was taken away no longer opens, and the message names it', () => {
      const sealed = new SecretBox([older]).seal('totp seed', 'old');
      const keyId = sealed.split('.')[1];
      expect(() => new SecretBox([newer]).open('totp seed', sealed)).toThrow(
        `sealed under another master key (${keyId})`,
      );
    });
  });

  test('derived keys and keyed hashes differ by purpose and by master key, and survive a restart', () => {
    const key = masterKey();
    const box = new SecretBox([key]);
    expect(new SecretBox([key]).keyedHash('address', '192.0.2.1')).toBe(box.keyedHash('address', '192.0.2.1'));
    expect(box.keyedHash('username', '192.0.2.1')).not.toBe(box.keyedHash('address', '192.0.2.1'));
    expect(new SecretBox([masterKey()]).keyedHash('address', '192.0.2.1')).not.toBe(
      box.keyedHash('address', '192.0.2.1'),
    );
    expect(box.deriveKey('cookies')).toHaveLength(32);
  });

  test.each([
    ['too short', Buffer.alloc(31).toString('base64'), '31 bytes'],
    ['too long', Buffer.alloc(33).toString('base64'), '33 bytes'],
    ['no base64', '!!!', '0 bytes'],
  ])('a malformed master key is an operator’s error that says what is wrong and what to do: %s', (_what, key, said) => {
    const error = thrownBy(() => new SecretBox([masterKey(), key]));
    expect(error).toBeInstanceOf(OperatorError);
    expect(error.message).toContain(said);
    expect(error.message).toContain('npx vestibule init');
    expect(error.message).not.toContain(key);
  });

  test('no master key at all is an operator’s error', () => {
    expect(() => new SecretBox([])).toThrow(OperatorError);
  });

  test('reads base64url and surrounding white space, as a key file has a line end', () => {
    const bytes = Buffer.alloc(32, 0xfb);
    const sealed = new SecretBox([bytes.toString('base64')]).seal('totp seed', 'secret');
    expect(new SecretBox([`${bytes.toString('base64url')}\n`]).open('totp seed', sealed)).toBe('secret');
  });
});

function thrownBy(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
