import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { text } from 'node:stream/consumers';
import { CookieJar } from './cookie-jar.ts';
import { type Button, type Form, Page } from './page.ts';

const MAX_REDIRECTS = 20;
const ANSWERED_WITHIN_MS = 15_000;

/** What a browser sends with every page it opens. */
const BROWSER_HEADERS = {
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'accept-language': 'en',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'sec-fetch-dest': 'document',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-user': '?1',
  'upgrade-insecure-requests': '1',
};

/** Header values; `undefined` leaves out what a browser would send. */
export type Headers = Readonly<Record<string, string | undefined>>;

export interface SubmitOptions {
  /** Which submit button is pressed, by `data-alternative`, id or name; `#continue` unless said. */
  readonly button?: string;
  /** Fields that the form does not have, as an attacker would add them. */
  readonly extra?: Readonly<Record<string, string>>;
  readonly headers?: Headers;
}

export interface VisitorOptions {
  /** The server's address: a redirect that leaves it is not followed. */
  readonly issuer: string;
  /** Port of 127.0.0.1 where it listens, for an issuer that is the address of a proxy. */
  readonly port?: number;
  /** Its clock, by which cookies expire. */
  now?(): number;
}

/**
 * A person with a browser without JavaScript: keeps cookies, follows redirects, fills forms in
 * and sends them. `new Visitor(vestibule)`. Nothing is hidden: headers, cookies and the last page
 * can be looked at and tampered with.
 */
export class Visitor {
  readonly cookies: CookieJar;
  /** Sent with every request: `{ 'accept-language': 'fr' }`, `{ 'x-forwarded-for': … }`. */
  headers: Headers = {};
  readonly #server: VisitorOptions;
  #page: Page | undefined;

  constructor(server: VisitorOptions) {
    this.#server = server;
    this.cookies = new CookieJar(() => server.now?.() ?? Date.now());
  }

  /** The page in front of the person. */
  get page(): Page {
    if (!this.#page) throw new Error('no page was visited yet');
    return this.#page;
  }

  /** Types an address, relative to the issuer, or follows a link to it. */
  async visit(address: string | URL, options: { readonly headers?: Headers } = {}): Promise<Page> {
    const url = new URL(address, this.#server.issuer);
    return this.#follow('GET', url, undefined, { 'sec-fetch-site': 'none', ...options.headers });
  }

  /** Fills in the form with the button and sends it, hidden fields and all. */
  async submit(fields: Readonly<Record<string, string>> = {}, options: SubmitOptions = {}): Promise<Page> {
    const { form, button } = this.#findButton(options.button ?? 'continue');
    const values = new Map(form.fields.map(({ name, value }) => [name, value]));
    for (const [name, value] of Object.entries(fields)) {
      if (!form.names.includes(name)) throw new Error(`the form has no field "${name}": ${this.page.describe()}`);
      values.set(name, value);
    }
    if (button.name) values.set(button.name, button.value);
    for (const [name, value] of Object.entries(options.extra ?? {})) values.set(name, value);
    const body = new URLSearchParams([...values]);
    const action = button.action === undefined ? new URL(form.action) : new URL(button.action, this.page.url);
    if (form.method !== 'POST') {
      action.search = body.toString();
      return this.#follow('GET', action, undefined, { ...this.#fromPage(), ...options.headers });
    }
    return this.post(action, body, options.headers);
  }

  /** Takes the way that `data-alternative` offers, a link or a button. */
  async choose(alternative: string, fields: Readonly<Record<string, string>> = {}): Promise<Page> {
    const link = this.page.alternatives.get(alternative);
    if (!link) return this.submit(fields, { button: alternative });
    return this.#follow('GET', link, undefined, this.#fromPage());
  }

  /** Sends a form as if from the present page, whatever stands on it. */
  async post(address: string | URL, fields: URLSearchParams | Readonly<Record<string, string>>, headers: Headers = {}) {
    const url = new URL(address, this.#page?.url ?? this.#server.issuer);
    const origin = this.#page?.url.origin ?? url.origin;
    return this.#follow('POST', url, new URLSearchParams(fields).toString(), {
      ...this.#fromPage(),
      origin,
      ...headers,
    });
  }

  /** The address outside the server to which the last redirect led: the portal's callback. */
  get left(): URL {
    const { location } = this.page;
    if (!location) throw new Error(`still at the server: ${this.page.describe()}`);
    return location;
  }

  /** One request with cookies and headers like a browser's; redirects are not followed. */
  async request(method: string, url: URL, body: string | undefined, headers: Headers = {}): Promise<Page> {
    const all: Headers = {
      ...BROWSER_HEADERS,
      host: url.host,
      cookie: this.cookies.header(url) || undefined,
      ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      ...this.#proxyHeaders(url),
      ...this.headers,
      ...headers,
    };
    const sent = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const { issuer, port } = this.#server;
    const answer = await send(
      {
        method,
        ...(url.origin === issuer && port !== undefined
          ? { host: '127.0.0.1', port }
          : { host: url.hostname, port: url.port }),
        path: url.pathname + url.search,
        headers: Object.fromEntries(sent),
      },
      body,
    );
    this.cookies.store(url, answer.headers['set-cookie'] ?? []);
    return new Page(url, answer.status, answer.headers, answer.body);
  }

  async #follow(method: string, address: URL, body: string | undefined, headers: Headers): Promise<Page> {
    let page = await this.request(method, address, body, headers);
    for (let redirects = 0; page.location?.origin === this.#server.issuer; redirects++) {
      if (redirects === MAX_REDIRECTS) throw new Error(`redirected without end: ${page.describe()}`);
      const keepsMethod = page.status === 307 || page.status === 308;
      const next = keepsMethod ? { method, body } : { method: 'GET', body: undefined };
      const { origin, ...rest } = headers;
      page = await this.request(next.method, page.location, next.body, keepsMethod ? { origin, ...rest } : rest);
    }
    this.#page = page;
    return page;
  }

  #fromPage(): Headers {
    return { referer: this.#page?.url.href, 'sec-fetch-site': 'same-origin' };
  }

  /** An issuer with https is reached as through the proxy that ends TLS. */
  #proxyHeaders(url: URL): Headers {
    if (url.protocol !== 'https:') return {};
    return { 'x-forwarded-proto': 'https', 'x-forwarded-host': url.host, 'x-forwarded-for': '192.0.2.1' };
  }

  #findButton(wanted: string): { readonly form: Form; readonly button: Button } {
    const fits: ((button: Button) => boolean)[] = [
      (button) => button.alternative === wanted,
      (button) => button.id === wanted,
      (button) => button.name === wanted,
    ];
    for (const fit of fits) {
      for (const form of this.page.forms) {
        const button = form.buttons.find(fit);
        if (button) return { form, button };
      }
    }
    throw new Error(`there is no button "${wanted}": ${this.page.describe()}`);
  }
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** `fetch` would neither send a Host header nor Sec-Fetch-* as told, so the plain client is used. */
function send(options: RequestOptions, body: string | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ ...options, agent: false, timeout: ANSWERED_WITHIN_MS }, (response) => {
      text(response).then(
        (received) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: received }),
        reject,
      );
    });
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error(`no answer to ${options.method} ${options.path}`)));
    request.end(body);
  });
}
