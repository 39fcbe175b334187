import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { ProviderPages } from './pages.ts';

/** Ours have nine characters; whatever is longer was not made here. */
const LONGEST_CODE = 32;

/**
 * An address with the device's code in it (`verification_uri_complete`, RFC 8628 §3.3.1): the code
 * page with the code filled in. The library answers with a page whose script goes on by itself.
 */
export function deviceCodeInAddress(pages: ProviderPages): Middleware {
  return async (ctx, next) => {
    await next();
    if (ctx.path !== '/device' || ctx.method !== 'GET' || ctx.status !== 200) return;
    const { oidc } = ctx as unknown as KoaContextWithOIDC;
    const userCode = oidc?.params?.user_code;
    const xsrf = (oidc?.session as { state?: { secret?: string } } | undefined)?.state?.secret;
    if (userCode === undefined || xsrf === undefined) return;
    ctx.set('Content-Security-Policy', ctx.response.get('Content-Security-Policy').replace(/ 'sha256-[^']+'/g, ''));
    pages.deviceCode(ctx as unknown as KoaContextWithOIDC, {
      action: '/device',
      fields: { xsrf },
      ...(typeof userCode === 'string' ? { userCode: userCode.slice(0, LONGEST_CODE) } : {}),
    });
  };
}
