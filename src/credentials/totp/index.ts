/** The authenticator app (RFC 6238): `codes.ts` reads and finds codes, `factor.ts` keeps the app's secret. */
export { createTotpFactor, type Setup, type TotpFactor } from './factor.ts';
