/** Recovery codes: a way in for whoever lost the second factor, ten at a time, each good for once. */
export { createRecoveryCodes, FEW_RECOVERY_CODES, type RecoveryCodes } from './factor.ts';
