/** What a browser remembers, RFC 6265 and the prefixes and limits of its revision (6265bis). */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly host: string;
  readonly path: string;
  readonly secure: boolean;
  readonly httpOnly: boolean;
  readonly sameSite: string | undefined;
  /** Milliseconds since the epoch; `undefined` for a cookie that ends with the browser. */
  readonly expiresAt: number | undefined;
}

/** Name and value, §5.4 step 5 of RFC 6265bis: a browser drops a larger cookie without a word. */
const MAX_LENGTH = 4096;

export class CookieJar {
  readonly #cookies = new Map<string, Cookie>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Everything held and not expired. */
  get all(): readonly Cookie[] {
    return [...this.#cookies.values()].filter(({ expiresAt }) => expiresAt === undefined || expiresAt > this.#now());
  }

  /** The cookies sent to an address. */
  matching(url: URL): readonly Cookie[] {
    return this.all
      .filter(
        ({ host, path, secure }) =>
          host === url.hostname && within(url.pathname, path) && (!secure || isTrustworthy(url)),
      )
      .toSorted((one, other) => other.path.length - one.path.length);
  }

  /** The Cookie header for an address; empty when there is nothing to send. */
  header(url: URL): string {
    return this.matching(url)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  /** @param setCookie the Set-Cookie headers of the answer from that address */
  store(url: URL, setCookie: readonly string[]): void {
    for (const line of setCookie) {
      const cookie = this.#read(url, line);
      if (!cookie) continue;
      const key = `${cookie.name};${cookie.host};${cookie.path}`;
      if (cookie.expiresAt !== undefined && cookie.expiresAt <= this.#now()) this.#cookies.delete(key);
      else this.#cookies.set(key, cookie);
    }
  }

  /** Forgets cookies by name; all of them without one. */
  clear(name?: string): void {
    for (const [key, cookie] of this.#cookies)
      if (name === undefined || cookie.name === name) this.#cookies.delete(key);
  }

  /** @returns `undefined` for a cookie that a browser refuses */
  #read(url: URL, line: string): Cookie | undefined {
    const [pair = '', ...parts] = line.split(';').map((part) => part.trim());
    const [name, value] = splitOnce(pair);
    if (name === '' || name.length + value.length > MAX_LENGTH) return undefined;
    const attributes = new Map(parts.map((part) => splitOnce(part)).map(([key, text]) => [key.toLowerCase(), text]));
    const domain = attributes.get('domain');
    // Hosts in tests are single names, so a Domain other than the host itself is always foreign.
    if (domain && domain.replace(/^\./, '') !== url.hostname) return undefined;
    const path = attributes.get('path');
    const secure = attributes.has('secure');
    if (secure && !isTrustworthy(url)) return undefined;
    if (name.startsWith('__Secure-') && !secure) return undefined;
    if (name.startsWith('__Host-') && (!secure || path !== '/' || domain)) return undefined;
    return {
      name,
      value,
      host: url.hostname,
      path: path?.startsWith('/') ? path : defaultPath(url.pathname),
      secure,
      httpOnly: attributes.has('httponly'),
      sameSite: attributes.get('samesite')?.toLowerCase(),
      expiresAt: this.#expiry(attributes),
    };
  }

  #expiry(attributes: ReadonlyMap<string, string>): number | undefined {
    const maxAge = attributes.get('max-age');
    if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return this.#now() + Number(maxAge) * 1000;
    const expires = Date.parse(attributes.get('expires') ?? '');
    return Number.isNaN(expires) ? undefined : expires;
  }
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text.trim(), ''] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

/** RFC 6265 §5.1.4: the folder of the page. */
const defaultPath = (pathname: string): string => pathname.slice(0, Math.max(pathname.lastIndexOf('/'), 1));

const within = (pathname: string, path: string): boolean =>
  pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`);

/** Browsers treat the machine itself like https. */
const isTrustworthy = (url: URL): boolean =>
  url.protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
