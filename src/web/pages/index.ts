/**
 * Everything people see: pages rendered from the templates in `views/` (an operator's overlay
 * first), the assets they load, and each portal's theme. Knows nothing of HTTP or Koa.
 */

export { type AssetResponse, respondWithAsset } from './asset-response.ts';
export { type Asset, type Assets, type ClientLike, createAssets } from './assets.ts';
export type {
  ClientView,
  ExternalWay,
  IdentityView,
  PageContext,
  PageModel,
  PageModels,
  PageName,
  PasskeySignals,
  PasskeyView,
  Problem,
  Way,
} from './models.ts';
export { createPages, type Pages } from './renderer.ts';
