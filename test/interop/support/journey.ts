import { generate } from 'otplib';
import type { Page } from '../../support/page.ts';
import { Visitor } from '../../support/visitor.ts';
import type { Citizen } from './realm.ts';

const MOST_PAGES = 6;

export interface Shown {
  /** Names of the fields of each page that Keycloak showed, one text a page. */
  readonly pages: readonly string[];
  /** What it sent the browser away with: an address, or a page that sends itself (form_post). */
  readonly answer: { readonly address: URL; readonly form?: URLSearchParams };
}

/** A browser at Keycloak; cookies of its own, which stay from one visit to the next. */
export class KeycloakVisitor {
  readonly #visitor: Visitor;

  constructor(issuer: string) {
    this.#visitor = new Visitor({ issuer: new URL(issuer).origin });
  }

  /** Does whatever each page asks for, until Keycloak sends the browser back. @param refuses at the page that asks for consent */
  async goThrough(address: URL, citizen: Citizen, { refuses = false } = {}): Promise<Shown> {
    let page = await this.#visitor.visit(address);
    const pages: string[] = [];
    for (; pages.length < MOST_PAGES; page = await this.#answer(page, citizen, refuses)) {
      const answer = answerIn(page);
      if (answer) return { pages, answer };
      pages.push(kindOf(page));
    }
    throw new Error(`Keycloak does not end: ${pages.join(', ')}; ${page.describe()} ${page.text.slice(0, 500)}`);
  }

  async #answer(page: Page, { username, password, totp }: Citizen, refuses: boolean): Promise<Page> {
    switch (kindOf(page)) {
      case 'password': {
        const isNamed = page.forms.some(({ names }) => names.includes('username'));
        return this.#visitor.submit({ ...(isNamed ? { username } : {}), password }, { button: 'login' });
      }
      case 'code':
        return this.#visitor.submit({ otp: await generate({ secret: totp }) }, { button: 'login' });
      case 'consent':
        return this.#visitor.submit({}, { button: refuses ? 'cancel' : 'accept' });
      default:
        throw new Error(`Keycloak shows a page that nobody expected: ${page.describe()} ${page.text.slice(0, 500)}`);
    }
  }
}

function kindOf({ forms }: Page): 'password' | 'code' | 'consent' | 'unknown' {
  const names = forms.flatMap((form) => form.names);
  if (names.includes('password')) return 'password';
  if (names.includes('otp')) return 'code';
  return forms.some(({ buttons }) => buttons.some(({ name }) => name === 'accept')) ? 'consent' : 'unknown';
}

function answerIn({ location, forms, url }: Page): Shown['answer'] | undefined {
  if (location) return { address: location };
  const away = forms.find(({ action }) => action.origin !== url.origin);
  if (!away) return undefined;
  return {
    address: away.action,
    form: new URLSearchParams(away.fields.map(({ name, value }): [string, string] => [name, value])),
  };
}
