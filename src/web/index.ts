/**
 * HTTP: what a request may claim (`listener.ts`), the pages (`pages/`), the login journey's
 * routes (`interaction/`), health and metrics. Thin: decisions are made in the domain.
 */
export { createRequestListener, SERVER_LIMITS } from './listener.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { createOperationsListener } from './operations.ts';
export { createWeb, type Web, type WebDependencies } from './web.ts';
