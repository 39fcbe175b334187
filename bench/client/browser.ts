import { type Answer, BROWSER, type Connection } from './http.ts';

const MAX_STEPS = 12;

interface Cookie {
  readonly value: string;
  readonly path: string;
}

/** A browser as far as a sign-in needs one: cookies by path, redirects, forms. */
export class Browser {
  readonly connection: Connection;
  readonly #cookies = new Map<string, Cookie>();

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** Opens an address and follows redirects within the server. @returns the page, or the redirect that leaves it */
  async open(path: string): Promise<Answer & { readonly path: string }> {
    return this.#follow(path, await this.#send('GET', path));
  }

  /** Fills in the form that asks for one of these fields, and sends it. @returns what `open` does */
  async submit(page: Answer & { readonly path: string }, fields: Readonly<Record<string, string>>) {
    const form = formOf(page.body, Object.keys(fields));
    const action = form.action || page.path;
    const body = new URLSearchParams({ ...form.hidden, ...pick(fields, form.asked) }).toString();
    return this.#follow(action, await this.#send('POST', action, body));
  }

  /** Presses the button of this value, in whatever form it stands; nothing is typed. @returns what `open` does */
  async press(page: Answer & { readonly path: string }, value: string) {
    const { action, hidden, button } = formWithButton(page.body, value);
    const address = action || page.path;
    const body = new URLSearchParams({ ...hidden, [button]: value }).toString();
    return this.#follow(address, await this.#send('POST', address, body));
  }

  /** Sends the page's first form by its main button, which carries nothing. @returns what `open` does */
  async confirm(page: Answer & { readonly path: string }) {
    const [form] = formsIn(page.body);
    if (!form) throw new Error(`no form:\n${page.body.slice(0, 2000)}`);
    const address = form.action || page.path;
    return this.#follow(address, await this.#send('POST', address, new URLSearchParams(form.hidden).toString()));
  }

  async #follow(from: string, first: Answer): Promise<Answer & { readonly path: string }> {
    let path = from;
    let answer = first;
    const { issuer } = this.connection;
    for (let step = 0; step < MAX_STEPS && answer.location !== undefined; step++) {
      const location = new URL(answer.location, issuer);
      if (location.origin !== issuer) break;
      path = location.pathname + location.search;
      answer = await this.#send('GET', path);
    }
    return { ...answer, path };
  }

  async #send(method: 'GET' | 'POST', path: string, body?: string): Promise<Answer> {
    const { connection } = this;
    const headers: Record<string, string> = { ...BROWSER };
    const cookie = this.#header(path);
    if (cookie) headers.cookie = cookie;
    if (body !== undefined) Object.assign(headers, { origin: connection.issuer, 'sec-fetch-site': 'same-origin' });
    const answer = await connection.send(method, path, headers, body);
    for (const line of answer.cookies) this.#store(line);
    return answer;
  }

  #store(line: string): void {
    const [pair = '', ...attributes] = line.split('; ');
    const at = pair.indexOf('=');
    const name = pair.slice(0, at);
    const value = pair.slice(at + 1);
    const path = attributes.find((attribute) => attribute.startsWith('path='))?.slice(5) ?? '/';
    if (value === '') this.#cookies.delete(`${name} ${path}`);
    else this.#cookies.set(`${name} ${path}`, { value, path });
  }

  #header(path: string): string {
    const pathname = path.split('?', 1)[0] ?? '';
    const sent: string[] = [];
    for (const [key, cookie] of this.#cookies) {
      if (within(pathname, cookie.path)) sent.push(`${key.slice(0, key.indexOf(' '))}=${cookie.value}`);
    }
    return sent.join('; ');
  }
}

const within = (pathname: string, path: string): boolean =>
  path === '/' || pathname === path || pathname.startsWith(`${path}/`);

interface Form {
  readonly action: string;
  readonly hidden: Readonly<Record<string, string>>;
  /** Names of its visible fields. */
  readonly asked: readonly string[];
}

const attribute = (tag: string, name: string): string | undefined =>
  new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]?.replaceAll('&amp;', '&');

/** The form that has a visible field of one of these names. @throws with the page where there is none */
function formOf(html: string, names: readonly string[]): Form {
  const found = formsIn(html).find(({ asked }) => asked.some((name) => names.includes(name)));
  if (!found) throw new Error(`no form asks for ${names.join(' or ')}:\n${html.slice(0, 2000)}`);
  return found;
}

/** The form with the button of this value, and the button's name. @throws with the page where there is none */
function formWithButton(html: string, value: string): Form & { readonly button: string } {
  for (const form of formsIn(html)) {
    const [tag] = [...form.html.matchAll(/<button[^>]*>/g)].flat().filter((one) => attribute(one, 'value') === value);
    if (tag !== undefined) return { ...form, button: attribute(tag, 'name') ?? '' };
  }
  throw new Error(`no button says ${value}:\n${html.slice(0, 2000)}`);
}

function formsIn(page: string): (Form & { readonly html: string })[] {
  return [...page.matchAll(/<form[\s\S]*?<\/form>/g)].map(([html]) => {
    const hidden: Record<string, string> = {};
    const asked: string[] = [];
    for (const [input] of html.matchAll(/<input[^>]*>/g)) {
      const name = attribute(input, 'name');
      if (name === undefined) continue;
      if (attribute(input, 'type') === 'hidden') hidden[name] = attribute(input, 'value') ?? '';
      else asked.push(name);
    }
    return { html, action: attribute(html, 'action') ?? '', hidden, asked };
  });
}

const pick = (fields: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name)));
