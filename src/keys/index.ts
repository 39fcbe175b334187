/**
 * How keys take turns. What a key is for, and how it is made and opened, is its owner's (`oidc/keys.ts` for those that
 * sign our tokens, `federation/keys.ts` for those towards external providers); when which of them counts is the same
 * for all, and stands in `rotation.ts`. `lifetimes.ts` says how long they are remembered, `rotate.ts` writes.
 */
export { signingRetention, UPSTREAM_RETENTION } from './lifetimes.ts';
export { forgetEnded, RotationUnderWay, rotate } from './rotate.ts';
export { inUse, type Standing, type StandingKey, standings } from './rotation.ts';
export { watch } from './watch.ts';
