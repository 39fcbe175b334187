import type { Context } from 'koa';
import type { Credentials } from '../credentials/index.ts';
import type { Random } from '../kernel/random.ts';

/** The browser's random ids, one for each account it is trusted with. */
export interface DeviceCookie {
  /** With dots between them. */
  of(ctx: Context): string | undefined;
  /** Trusts this browser with somebody who asked for it, once they are signed in. */
  trust(ctx: Context, signedIn: { accountId?: string; trust?: boolean }): Promise<void>;
}

const NAME = 'vestibule_device';
/** Accounts; who trusts it with one more is asked again for the one that is longest ago. */
const MOST = 5;
const VALUE = /^[\w-]{27}(\.[\w-]{27}){0,4}$/;

export function createDeviceCookie(deps: { credentials: Credentials; random: Random; https: boolean }): DeviceCookie {
  const { credentials, random, https } = deps;
  const { trustedDevices } = credentials;
  const name = https ? `__Host-${NAME}` : NAME;
  const of = (ctx: Context): string | undefined => {
    const value = ctx.cookies.get(name, { signed: false });
    return value !== undefined && VALUE.test(value) ? value : undefined;
  };
  return {
    of,
    async trust(ctx, { accountId, trust }) {
      if (!trust || accountId === undefined || trustedDevices.lifetime === undefined) return;
      const held = of(ctx)?.split('.') ?? [];
      // Never an id that was here before: whoever used the browser earlier may have kept it.
      const id = random.id();
      await trustedDevices.trust(accountId, id, ctx.get('User-Agent').slice(0, 200), held);
      ctx.cookies.set(name, [id, ...held].slice(0, MOST).join('.'), {
        httpOnly: true,
        sameSite: 'lax',
        secure: https,
        path: '/',
        maxAge: trustedDevices.lifetime * 1000,
        signed: false,
      });
    },
  };
}
