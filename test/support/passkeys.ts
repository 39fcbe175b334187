import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { type AssertionTamper, type CreationTamper, SoftwareAuthenticator } from './authenticator/index.ts';
import type { Page } from './page.ts';
import type { Visitor } from './visitor.ts';

/** What the pages' script writes of a current browser. */
const ABILITIES = 'get.platform';

/** What the server told a script: a sentence of a problem (RFC 9457), or where to go on. */
export interface Told {
  readonly status: number;
  readonly type: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * A visitor's browser with passkeys, as the pages' script drives it: asks for options, has the
 * authenticator answer them, sends the answer. `tamper` damages the answer on its way.
 */
export class PasskeyBrowser {
  readonly visitor: Visitor;
  readonly device: SoftwareAuthenticator;

  constructor(visitor: Visitor, issuer: string, device = new SoftwareAuthenticator({ origin: issuer })) {
    this.visitor = visitor;
    this.device = device;
    this.say(ABILITIES, issuer);
  }

  /** The abilities cookie; '' for a browser that can nothing. */
  say(abilities: string, issuer: string): void {
    this.visitor.cookies.store(new URL(issuer), [`vestibule_passkeys=${abilities}; Path=/`]);
  }

  /** Options for the ceremony of the page in front of the person. */
  async options<Options>(extra: Readonly<Record<string, string>> = {}): Promise<Options> {
    const told = await this.send(this.#form['data-options'] ?? '', extra);
    if (told.status !== 200) throw new Error(`no options: ${JSON.stringify(told)}`);
    return told.body as Options;
  }

  /** Uses a passkey on the page in front of the person. */
  async use(tamper?: AssertionTamper): Promise<Told> {
    const options = await this.options<PublicKeyCredentialRequestOptionsJSON>();
    return this.hand(await this.device.get(options, tamper));
  }

  /** Creates a passkey on the page in front of the person. */
  async create(tamper?: CreationTamper, extra: Readonly<Record<string, string>> = {}): Promise<Told> {
    const options = await this.options<PublicKeyCredentialCreationOptionsJSON>(extra);
    return this.hand(await this.device.create(options, tamper));
  }

  /** Sends a response to the page's own address, and goes where the server says. */
  async hand(response: unknown): Promise<Told> {
    const told = await this.send(this.#form.action ?? '', { credential: JSON.stringify(response) });
    if (typeof told.body.location === 'string') await this.visitor.visit(told.body.location);
    return told;
  }

  /** Attributes of the form that the script looks for. */
  get #form(): Readonly<Record<string, string>> {
    const { page } = this.visitor;
    const form = page.attributesOf((element) => element.attribs['data-passkey'] !== undefined);
    if (!form) throw new Error(`no passkey can be used here: ${page.describe()}`);
    return form;
  }

  /** One request as a script of the page makes it. */
  async send(path: string, fields: Readonly<Record<string, string>>): Promise<Told> {
    const { page } = this.visitor;
    const csrf = page.forms.flatMap(({ fields: all }) => all).find(({ name }) => name === '_csrf')?.value ?? '';
    const answer: Page = await this.visitor.request(
      'POST',
      new URL(path, page.url),
      new URLSearchParams({ _csrf: csrf, ...fields }).toString(),
      {
        accept: 'application/json',
        origin: page.url.origin,
        referer: page.url.href,
        'sec-fetch-site': 'same-origin',
        'sec-fetch-mode': 'cors',
        'sec-fetch-dest': 'empty',
      },
    );
    return {
      status: answer.status,
      type: String(answer.headers['content-type']),
      body: answer.body === '' ? {} : JSON.parse(answer.body),
    };
  }
}
