import { beforeEach, describe, expect, test } from '@jest/globals';
import { CookieJar } from '../../support/cookie-jar.ts';

describe('the cookie jar', () => {
  const page = new URL('http://localhost:3000/interaction/abc/password');
  let now: number;
  let jar: CookieJar;

  beforeEach(() => {
    now = 1_000_000;
    jar = new CookieJar(() => now);
  });

  const sentTo = (address: string) => jar.header(new URL(address, page));

  test('sends a cookie below its path only, the longer path first', () => {
    jar.store(page, ['whole=1; Path=/', 'part=2; Path=/interaction/abc']);
    expect(sentTo('/interaction/abc')).toBe('part=2; whole=1');
    expect(sentTo('/interaction/abcd')).toBe('whole=1');
  });

  test('takes the folder of the page for a path that is not given', () => {
    jar.store(page, ['a=1', 'b=2; Path=relative']);
    expect(sentTo('/interaction/abc/totp')).toBe('a=1; b=2');
    expect(sentTo('/interaction/xyz')).toBe('');
  });

  test('forgets a cookie when its time is over, by the clock it was given', () => {
    jar.store(page, [
      'a=1; Max-Age=10; Path=/',
      `b=2; Expires=${new Date(now + 20_000).toUTCString()}; Path=/`,
      'c=3; Path=/',
    ]);
    expect(sentTo('/')).toBe('a=1; b=2; c=3');
    now += 11_000;
    expect(sentTo('/')).toBe('b=2; c=3');
    now += 10_000;
    expect(sentTo('/')).toBe('c=3');
  });

  test('removes a cookie that is set with a past date, and replaces one of the same name and path', () => {
    jar.store(page, ['a=1; Path=/', 'b=1; Path=/']);
    jar.store(page, ['a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT', 'b=2; Path=/']);
    expect(sentTo('/')).toBe('b=2');
  });

  test('keeps secure cookies to https and to the machine itself', () => {
    jar.store(page, ['local=1; Path=/; Secure']);
    expect(sentTo('/')).toBe('local=1');
    const elsewhere = new URL('http://login.example.org/');
    jar.store(elsewhere, ['plain=1; Secure']);
    jar.store(new URL('https://login.example.org/'), ['tls=1; Secure; Path=/', 'both=2; Path=/']);
    expect(jar.header(elsewhere)).toBe('both=2');
    expect(jar.header(new URL('https://login.example.org/'))).toBe('tls=1; both=2');
  });

  test.each([
    ['__Host- without Secure', '__Host-a=1; Path=/'],
    ['__Host- with a path', '__Host-a=1; Path=/interaction; Secure'],
    ['__Host- with a domain', '__Host-a=1; Path=/; Secure; Domain=localhost'],
    ['__Secure- without Secure', '__Secure-a=1; Path=/'],
    ['a foreign domain', 'a=1; Domain=example.org'],
    ['more than 4096 characters', `a=${'x'.repeat(4096)}`],
    ['no name', '=1'],
  ])('refuses %s', (_what, line) => {
    jar.store(page, [line]);
    expect(jar.all).toEqual([]);
  });

  test('keeps what the attributes said, to be looked at', () => {
    jar.store(page, ['_session=x; Path=/; HttpOnly; SameSite=Lax; Secure']);
    expect(jar.all[0]).toMatchObject({
      httpOnly: true,
      secure: true,
      sameSite: 'lax',
      path: '/',
      expiresAt: undefined,
    });
  });

  test('gives a cookie back to its own host only', () => {
    jar.store(page, ['a=1; Path=/']);
    expect(jar.header(new URL('http://127.0.0.1:3000/'))).toBe('');
    // Cookies know no port: portals of the demo share the jar of localhost.
    expect(jar.header(new URL('http://localhost:3001/'))).toBe('a=1');
  });
});
