import { argon2, timingSafeEqual } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { BarePerson } from './settings.ts';

const derive = promisify(argon2);

/** One page, one form, the same hash as Vestibule's: nothing else is asked, counted or recorded. */
export function login(provider: Provider, people: readonly BarePerson[]) {
  const byName = new Map(people.map((person) => [person.username, person]));
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    if (!ctx.path.startsWith('/interaction/')) return next();
    const { uid } = await provider.interactionDetails(ctx.req, ctx.res);
    if (ctx.method === 'GET') {
      ctx.type = 'html';
      ctx.body = page(uid);
      return;
    }
    const form = new URLSearchParams(await text(ctx.req));
    const person = byName.get(form.get('username') ?? '');
    if (!person || !(await matches(person, form.get('password') ?? ''))) {
      ctx.status = 400;
      ctx.body = page(uid);
      return;
    }
    ctx.respond = false;
    const result = { login: { accountId: person.username } };
    await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
  };
}

async function matches({ salt, hash, parameters }: BarePerson, password: string): Promise<boolean> {
  const expected = Buffer.from(hash, 'base64');
  const nonce = Buffer.from(salt, 'base64');
  const tag = await derive('argon2id', { message: password, nonce, tagLength: expected.length, ...parameters });
  return timingSafeEqual(tag, expected);
}

const page = (uid: string): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Sign in</title></head>
<body>
<form method="post" action="/interaction/${uid}">
<input type="text" name="username" autocomplete="username">
<input type="password" name="password" autocomplete="current-password">
<button type="submit">Sign in</button>
</form>
</body>
</html>`;
