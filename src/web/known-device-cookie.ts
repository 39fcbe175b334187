import type { Context } from 'koa';
import type { Credentials } from '../credentials/index.ts';
import type { Account } from '../storage/ports.ts';

type Who = Pick<Account, 'id' | 'generation'>;

/** What a browser holds since somebody signed in with it (`credentials/known-devices.ts`). */
export interface KnownDeviceCookie {
  of(ctx: Context): string | undefined;
  /** Whether this account was signed in with this browser before. */
  isKnown(ctx: Context, account: Who): boolean;
  remember(ctx: Context, account: Who): void;
}

const NAME = 'vestibule_known';
/** Milliseconds: who comes once a year is no stranger. */
const LIFETIME = 400 * 86_400_000;
/** Five ids and signatures. */
const LONGEST = 400;

export function createKnownDeviceCookie(deps: { credentials: Credentials; https: boolean }): KnownDeviceCookie {
  const { https } = deps;
  const { knownDevices } = deps.credentials;
  const name = https ? `__Host-${NAME}` : NAME;
  const of = (ctx: Context): string | undefined => {
    const value = ctx.cookies.get(name, { signed: false });
    return value !== undefined && value.length <= LONGEST ? value : undefined;
  };
  return {
    of,
    isKnown: (ctx, account) => knownDevices.idOf(account, of(ctx)) !== undefined,
    remember(ctx, account) {
      ctx.cookies.set(name, knownDevices.remember(account, of(ctx)), {
        httpOnly: true,
        sameSite: 'lax',
        secure: https,
        path: '/',
        maxAge: LIFETIME,
        signed: false,
      });
    },
  };
}
