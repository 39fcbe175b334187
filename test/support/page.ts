import type { IncomingHttpHeaders } from 'node:http';
import { DomUtils, parseDocument } from 'htmlparser2';

// biome-ignore lint/performance/useDomNodeTextContent: no browser here; this innerText leaves scripts and styles out
const { innerText } = DomUtils;

type Document = ReturnType<typeof parseDocument>;
type Element = NonNullable<ReturnType<typeof DomUtils.findOne>>;

export interface Field {
  readonly name: string;
  readonly type: string;
  readonly value: string;
}

export interface Button {
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly value: string;
  readonly text: string;
  readonly alternative: string | undefined;
  /** Where and how it sends the form, when that differs from the form. */
  readonly action: string | undefined;
}

export interface Form {
  readonly method: string;
  readonly action: URL;
  /** What a browser would send without a word from the person, buttons left out. */
  readonly fields: readonly Field[];
  /** Names of all fields, ticked or not. */
  readonly names: readonly string[];
  readonly buttons: readonly Button[];
}

/** An answer of the server, read as a person would: what it says and what can be done on it. */
export class Page {
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly #document: Document;

  constructor(url: URL, status: number, headers: IncomingHttpHeaders, body: string) {
    this.url = url;
    this.status = status;
    this.headers = headers;
    this.body = body;
    this.#document = parseDocument(body);
  }

  /** Where a redirect leads that was not followed, as it leaves the server. */
  get location(): URL | undefined {
    return this.headers.location === undefined ? undefined : new URL(this.headers.location, this.url);
  }

  /** The step shown: `<main data-step="…">`. */
  get step(): string | undefined {
    return this.#one((element) => element.name === 'main')?.attribs['data-step'];
  }

  get lang(): string | undefined {
    return this.#one((element) => element.name === 'html')?.attribs.lang;
  }

  get title(): string {
    return this.textOf((element) => element.name === 'title') ?? '';
  }

  get heading(): string {
    return this.textOf((element) => element.name === 'h1') ?? '';
  }

  /** What the page complains about; `undefined` when it is content. */
  get error(): string | undefined {
    return this.textOf((element) => element.attribs.id === 'problem' || element.attribs.role === 'alert');
  }

  /** Everything a person reads, spaces collapsed. */
  get text(): string {
    return this.textOf((element) => element.name === 'body') ?? '';
  }

  get forms(): readonly Form[] {
    return this.#all((element) => element.name === 'form').map((element) => this.#form(element));
  }

  /** What `data-alternative` offers: links with an address, buttons without. */
  get alternatives(): ReadonlyMap<string, URL | undefined> {
    return new Map(
      this.#all((element) => element.attribs['data-alternative'] !== undefined).map((element) => [
        element.attribs['data-alternative'] ?? '',
        element.attribs.href === undefined ? undefined : new URL(element.attribs.href, this.url),
      ]),
    );
  }

  get links(): readonly { readonly text: string; readonly url: URL }[] {
    return this.#all((element) => element.name === 'a' && element.attribs.href !== undefined).map((element) => ({
      text: textIn(element),
      url: new URL(element.attribs.href ?? '', this.url),
    }));
  }

  /** Attributes of the first element that matches. */
  attributesOf(matches: (element: Element) => boolean): Readonly<Record<string, string>> | undefined {
    return this.#one(matches)?.attribs;
  }

  textOf(matches: (element: Element) => boolean): string | undefined {
    const found = this.#one(matches);
    return found && textIn(found);
  }

  /** For messages of failing tests. */
  describe(): string {
    const where = `${this.status} ${this.url.href}`;
    return [where, this.step && `step ${this.step}`, this.heading, this.error].filter(Boolean).join(' · ');
  }

  #one(matches: (element: Element) => boolean): Element | undefined {
    return DomUtils.findOne(matches, this.#document.children) ?? undefined;
  }

  #all(matches: (element: Element) => boolean): Element[] {
    return DomUtils.findAll(matches, this.#document.children);
  }

  #form(form: Element): Form {
    // A button may stand outside its form and name it.
    const members = this.#all((element) => {
      if (!['input', 'select', 'textarea', 'button'].includes(element.name)) return false;
      if (element.attribs.form !== undefined) return element.attribs.form === form.attribs.id;
      return isInside(element, form);
    });
    const enabled = members.filter((element) => element.attribs.disabled === undefined);
    const isButton = (element: Element) =>
      element.name === 'button'
        ? (element.attribs.type ?? 'submit') === 'submit'
        : ['submit', 'image'].includes(element.attribs.type ?? '');
    const inputs = enabled.filter((element) => element.name !== 'button' && !isButton(element));
    return {
      method: (form.attribs.method ?? 'get').toUpperCase(),
      action: new URL(form.attribs.action || this.url.href, this.url),
      fields: inputs.flatMap(readField),
      names: inputs.flatMap((element) => element.attribs.name ?? []),
      buttons: enabled.filter(isButton).map((element) => ({
        id: element.attribs.id,
        name: element.attribs.name,
        value: element.attribs.value ?? '',
        text: textIn(element) || (element.attribs.value ?? ''),
        alternative: element.attribs['data-alternative'],
        action: element.attribs.formaction,
      })),
    };
  }
}

function readField(element: Element): Field[] {
  const { name, type = 'text', value } = element.attribs;
  if (!name) return [];
  if (element.name === 'textarea') return [{ name, type: 'textarea', value: DomUtils.textContent(element) }];
  if (element.name === 'select') {
    const options = DomUtils.findAll((child) => child.name === 'option', element.children);
    const chosen = options.find((option) => option.attribs.selected !== undefined) ?? options[0];
    return chosen ? [{ name, type: 'select', value: chosen.attribs.value ?? textIn(chosen) }] : [];
  }
  if (type === 'checkbox' || type === 'radio') {
    return element.attribs.checked === undefined ? [] : [{ name, type, value: value ?? 'on' }];
  }
  return [{ name, type, value: value ?? '' }];
}

function isInside(element: Element, ancestor: Element): boolean {
  for (let parent = element.parent; parent; parent = parent.parent) if (parent === ancestor) return true;
  return false;
}

const textIn = (element: Element): string => innerText(element).replaceAll(/\s+/g, ' ').trim();
