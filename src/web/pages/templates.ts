import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ejs from 'ejs';
import { OperatorError } from '../../kernel/errors.ts';

/** The folder `views/` that comes with the product. */
export const BUILT_IN_VIEWS = fileURLToPath(new URL('../../../views/', import.meta.url));

/** The only names a template can see. */
export const TEMPLATE_NAMES = [
  't',
  'partial',
  'link',
  'page',
  'brand',
  'footer',
  'heading',
  'problem',
  'model',
  'detail',
] as const;

export type Locals = Readonly<Partial<Record<(typeof TEMPLATE_NAMES)[number], unknown>>>;

export interface Templates {
  /** @param name path below `views/` without its ending: `pages/identify` */
  render(name: string, locals: Locals): string;
}

/**
 * Reads every template, and compiles each once. A page or partial is found by name among the files read
 * here, an operator's first: rendering never touches the file system, and no name leads out of the
 * two folders.
 *
 * The compile options are these and no others. EJS takes options from its data in some calls
 * (CVE-2022-29078), so data never comes near `ejs.compile`, and what a template is given is a
 * fresh object without a prototype holding the names above.
 *
 * @throws OperatorError when the overlay is missing or a template does not compile
 */
export function compileTemplates(overlay: string | undefined): Templates {
  const files = new Map([...listTemplates(BUILT_IN_VIEWS), ...(overlay ? listTemplates(overlay) : [])]);
  const sources = new Map([...files].map(([name, file]) => [name, { file, text: readFileSync(file, 'utf8') }]));
  const compiled = new Map<string, Template>();
  const templateOf = (name: string): Template => {
    const known = compiled.get(name);
    if (known) return known;
    const source = sources.get(name);
    if (!source) throw new Error(`there is no template ${name}`);
    const template = compile(source);
    compiled.set(name, template);
    return template;
  };
  // Our own compile: a start need not wait for them. An operator must hear at once of one that doesn't.
  if (overlay) for (const name of sources.keys()) templateOf(name);

  const render = (name: string, locals: Locals): string => {
    const template = templateOf(name);
    const data = Object.assign(Object.create(null), locals, {
      partial: (inner: string, detail?: unknown) => render(inner, { ...locals, detail }),
    });
    return template(data);
  };
  return { render };
}

type Template = (data: Locals) => string;

function compile({ file, text }: { readonly file: string; readonly text: string }): Template {
  try {
    return ejs.compile(text, {
      filename: file,
      escape: ejs.escapeXML,
      // No `with`: a template sees the names above and the language's own globals, nothing inherited.
      strict: true,
      localsName: 'locals',
      destructuredLocals: [...TEMPLATE_NAMES],
      // EJS's own include reads files while rendering; `partial` takes its place.
      includer: () => {
        throw new Error("use <%- partial('partials/…') %> instead of include");
      },
      async: false,
      client: false,
      cache: false,
      rmWhitespace: true,
    });
  } catch (error) {
    throw new OperatorError(`${file}: ${error instanceof Error ? error.message : error}`);
  }
}

/** `layouts`, `partials` and `pages` of one folder: name → file. */
function listTemplates(folder: string): [name: string, file: string][] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new OperatorError(`${folder}: no such folder`);
  return ['layouts', 'partials', 'pages'].flatMap((part) => {
    const start = join(folder, part);
    if (!existsSync(start)) return [];
    return readdirSync(start, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ejs'))
      .map((path): [string, string] => {
        const file = join(start, path);
        return [relative(folder, file).split(sep).join('/').slice(0, -'.ejs'.length), file];
      });
  });
}
