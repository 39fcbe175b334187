/**
 * Presets: what is known of each external provider, as data, one file each (`presets.ts` lists them, `preset.ts` is what
 * one consists of). `resolveUpstream` lays the operator's file (`config/providers/<id>.yaml`) over the preset it names;
 * what nobody could confirm it demands from the operator. `support.ts` compares the result with what the provider's
 * metadata says it supports.
 */

export { isEmailAuthoritative } from './email-authority.ts';
export { checkOnline } from './online.ts';
export type { PresetProblem } from './preset.ts';
export { checkProvider, type Resolved, resolveUpstream } from './resolve.ts';
export { type SupportFinding, supportFindings } from './support.ts';
export { vouchedFor } from './vouched-for.ts';
