/** Recovery codes: a way in for whoever lost the second factor, ten at a time, each good for once. */
export { createRecoveryCodes, type RecoveryCodes } from './factor.ts';
