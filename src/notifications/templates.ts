import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ejs from 'ejs';
import type { Translate } from '../i18n/index.ts';
import { OperatorError } from '../kernel/errors.ts';
import type { ButtonColours } from './colours.ts';

const BUILT_IN = fileURLToPath(new URL('../../views/mail/', import.meta.url));

/** What every mail knows; the rest is its own. */
export interface MailLocals {
  readonly t: Translate;
  /** As `lang` has it. */
  readonly language: string;
  readonly subject: string;
  /** Who runs this, or the portal it is about. */
  readonly brand: string;
  readonly [name: string]: unknown;
}

export interface MailTemplates {
  text(locals: MailLocals): string;
  html(locals: MailLocals): string;
}

const SHARED = ['t', 'language', 'subject', 'brand'] as const;

type Render = (data: object) => string;

/**
 * Compiles the two forms of each mail, and once what they stand in; an operator's `mail/` in the overlay wins
 * file by file. The HTML is put into `layout.html.ejs`; within it, `button(label, address)` gives
 * `button.html.ejs`. As with pages, data never comes near EJS's options (CVE-2022-29078), and a template sees
 * the names it is given and no others.
 *
 * @param names of each mail's own values, besides `MailLocals`
 * @throws OperatorError when one does not compile
 */
export function compileMails<Name extends string>(
  names: Readonly<Record<Name, readonly string[]>>,
  { overlay, colours }: { overlay: string | undefined; colours: ButtonColours },
): Readonly<Record<Name, MailTemplates>> {
  const html = (name: string, own: readonly string[]): Render =>
    compile(`${name}.html`, { overlay, visible: [...SHARED, ...own], escape: ejs.escapeXML });
  const layout = html('layout', ['content']);
  const link = html('button', ['label', 'address', 'colours']);

  const compiled = (name: string, own: readonly string[]): MailTemplates => {
    // Plain text has no markup to escape into.
    const text = compile(`${name}.txt`, { overlay, visible: [...SHARED, ...own], escape: String });
    const body = html(name, [...own, 'button']);
    return {
      // A part that was left out leaves its empty lines behind.
      text: (locals) =>
        `${text(locals)
          .replace(/\n{3,}/g, '\n\n')
          .trim()}\n`,
      html: (locals) => {
        const button = (label: string, address: string): string => link({ ...locals, colours, label, address });
        return layout({ ...locals, content: body({ ...locals, button }) });
      },
    };
  };
  const entries = Object.entries<readonly string[]>(names).map(([name, own]) => [name, compiled(name, own)]);
  return Object.fromEntries(entries) as Record<Name, MailTemplates>;
}

function compile(
  name: string,
  options: { overlay: string | undefined; visible: readonly string[]; escape: (text: string) => string },
): Render {
  const own = options.overlay && join(options.overlay, 'mail', `${name}.ejs`);
  const file = own && existsSync(own) ? own : join(BUILT_IN, `${name}.ejs`);
  try {
    const render = ejs.compile(readFileSync(file, 'utf8'), {
      filename: file,
      escape: options.escape,
      strict: true,
      localsName: 'locals',
      destructuredLocals: [...options.visible],
      // EJS's own include reads files while rendering.
      includer: () => {
        throw new Error('a mail includes nothing; it stands in layout.html.ejs');
      },
      async: false,
      client: false,
      cache: false,
    });
    return (data) => render(Object.assign(Object.create(null), data));
  } catch (error) {
    throw new OperatorError(`${file}: ${error instanceof Error ? error.message : error}`);
  }
}
