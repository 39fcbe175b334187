import type { Context } from 'koa';
import { VestibuleError } from '../../kernel/errors.ts';
import { isSameText } from '../../kernel/same-text.ts';
import type { SecretBox } from '../../kernel/secret-box.ts';

/** Bytes. Our longest form is a fraction of it. */
const BODY_LIMIT = 16 * 1024;

export interface Forms {
  /** The token a form of this purpose carries in `_csrf`. */
  csrf(purpose: string): string;
  /**
   * Reads the form of a POST to one of our own pages.
   * @param purpose what the CSRF token is bound to, such as the interaction
   * @param fields names the form may carry besides `_csrf`, `cancel`
   * @throws VestibuleError `forbidden_origin` (403), `unsupported_media` (415), `too_large` (413),
   *   `bad_request` (400)
   */
  read(ctx: Context, purpose: string, fields: readonly string[]): Promise<Readonly<Record<string, string>>>;
}

export function createForms(deps: { secretBox: SecretBox; issuer: string }): Forms {
  const { secretBox, issuer } = deps;
  const csrf = (purpose: string): string => secretBox.keyedHash('csrf', purpose);
  return {
    csrf,
    async read(ctx, purpose, fields) {
      refuseForeignOrigin(ctx, issuer);
      if (!ctx.is('application/x-www-form-urlencoded')) throw new VestibuleError('unsupported_media', 415);
      const form = parse(await readBody(ctx), new Set(['_csrf', 'cancel', ...fields]));
      // Stops a form on another site from acting in the name of whoever is signed in here.
      if (!isSameText(form._csrf ?? '', csrf(purpose))) throw new VestibuleError('session_expired', 400);
      return form;
    },
  };
}

/**
 * Browsers name the page a form was on in `Origin`; any other than ours is an attack. Browsers
 * that send none are told apart by `Sec-Fetch-Site` where they have it, and by the token always.
 */
function refuseForeignOrigin(ctx: Context, issuer: string): void {
  const origin = ctx.get('Origin');
  const site = ctx.get('Sec-Fetch-Site');
  const foreign = origin === '' ? site !== '' && site !== 'same-origin' && site !== 'none' : origin !== issuer;
  if (foreign) throw new VestibuleError('forbidden_origin', 403);
}

/** @throws VestibuleError `too_large` (413) */
export async function readBody(ctx: Context): Promise<string> {
  const tooLarge = (): VestibuleError => {
    // What is still on its way is not read; the connection can't be used again.
    ctx.set('Connection', 'close');
    return new VestibuleError('too_large', 413);
  };
  if ((ctx.request.length ?? 0) > BODY_LIMIT) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of ctx.req.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > BODY_LIMIT) throw tooLarge();
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Only known names, each once: `user[$ne]=`, doubled fields and extra `role`s end here. */
function parse(body: string, allowed: ReadonlySet<string>): Record<string, string> {
  const form: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(body)) {
    if (!allowed.has(name) || name in form) throw new VestibuleError('bad_request', 400);
    form[name] = value;
  }
  return form;
}
