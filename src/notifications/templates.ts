import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ejs from 'ejs';
import { OperatorError } from '../kernel/errors.ts';

const BUILT_IN = fileURLToPath(new URL('../../views/mail/', import.meta.url));

/** The only names a mail's template can see. */
const NAMES = ['t', 'brand', 'language', 'person', 'subject', 'sentence', 'when'] as const;

export type MailLocals = Readonly<Record<(typeof NAMES)[number], unknown>>;

export interface MailTemplates {
  text(locals: MailLocals): string;
  html(locals: MailLocals): string;
}

/**
 * Compiles a mail's two forms, once; an operator's `mail/` in the overlay wins. As with pages, data
 * never comes near EJS's options (CVE-2022-29078).
 * @throws OperatorError when one does not compile
 */
export function compileMail(name: string, overlay: string | undefined): MailTemplates {
  const compile = (form: 'txt' | 'html', escaped: (text: string) => string) => {
    const own = overlay && join(overlay, 'mail', `${name}.${form}.ejs`);
    const file = own && existsSync(own) ? own : join(BUILT_IN, `${name}.${form}.ejs`);
    try {
      const render = ejs.compile(readFileSync(file, 'utf8'), {
        filename: file,
        escape: escaped,
        strict: true,
        localsName: 'locals',
        destructuredLocals: [...NAMES],
        async: false,
        client: false,
        cache: false,
      });
      return (locals: MailLocals): string => render(Object.assign(Object.create(null), locals));
    } catch (error) {
      throw new OperatorError(`${file}: ${error instanceof Error ? error.message : error}`);
    }
  };
  // Plain text has no markup to escape into.
  return { text: compile('txt', String), html: compile('html', ejs.escapeXML) };
}
