import type { Page } from '../support/page.ts';
import { type Headers, Visitor, type VisitorOptions } from '../support/visitor.ts';

/** The service said "not now", or nothing: what was asked for may have been done or not. */
export class Unavailable extends Error {}

/** A visitor who tells "not now" from an answer, and remembers what a form was answered. */
export class Browser extends Visitor {
  readonly #server: VisitorOptions;
  #first: Page | undefined;
  #isNoting = false;

  constructor(server: VisitorOptions) {
    super(server);
    this.#server = server;
  }

  /** Another browser with the same cookies, as a thief's. */
  copy(): Browser {
    const twin = new Browser(this.#server);
    const url = new URL(this.#server.issuer);
    twin.cookies.store(
      url,
      this.cookies.all.map(({ name, value, path }) => `${name}=${value}; Path=${path}`),
    );
    return twin;
  }

  /** @throws Unavailable */
  override async request(method: string, url: URL, body: string | undefined, headers: Headers = {}): Promise<Page> {
    let page: Page;
    try {
      page = await super.request(method, url, body, headers);
    } catch (cause) {
      throw new Unavailable(`${method} ${url.pathname}: no answer`, { cause });
    }
    if (page.status >= 500) throw new Unavailable(page.describe());
    if (this.#isNoting) this.#first ??= page;
    return page;
  }

  /**
   * Sends a form whose outcome must not be mistaken.
   * @returns the answer to the form itself, whatever became of the pages behind it; undefined when there was none
   */
  async decisive(send: () => Promise<unknown>): Promise<Page | undefined> {
    this.#first = undefined;
    this.#isNoting = true;
    try {
      await send();
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
    } finally {
      this.#isNoting = false;
    }
    return this.#first;
  }
}
