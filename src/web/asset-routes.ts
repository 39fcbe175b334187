import type { Middleware } from 'koa';
import { type Assets, respondWithAsset } from './pages/index.ts';

/** Static files, from memory. */
export function createAssetRoutes(assets: Assets): Middleware {
  return async (ctx, next) => {
    if (!ctx.path.startsWith('/assets/') || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return next();
    const { status, headers, body } = await respondWithAsset(assets, {
      path: ctx.path,
      acceptEncoding: ctx.get('Accept-Encoding'),
      ifNoneMatch: ctx.get('If-None-Match'),
    });
    // An address of an earlier release: the page that names it is reloaded, not the asset.
    if (status === 404) return next();
    ctx.status = status;
    ctx.set(headers);
    if (body) ctx.body = body;
  };
}
