/**
 * The keys within `master_key`, one a line. A new one can be put first, the old ones below still open what they sealed
 * and find what was stored under them. But what is derived rather than stored comes from the first key alone
 * (`SecretBox.deriveKey`, `keyedHash`), and another first key changes it:
 *
 * - pairwise `sub`: to portals with `subject_type: pairwise` everybody is somebody else, for good
 * - signatures of cookies: everybody is signed out, a sign-in under way begins anew; CSRF tokens: an open form is refused
 * - known devices: none is known any more, which each owner is told by mail at the next sign-in
 * - names of counters and locks: tries, pauses and what was mailed or texted count from zero
 * - made-up passkeys of names that nobody has: who asked before sees that they were made up
 * - DPoP nonces: clients are given another one, and repeat the request
 *
 * So nodes need the same keys in the same order, and so do both sides of a copy.
 */
export const masterKeysOf = (setting: string): string[] =>
  setting
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

/** @returns the 32 bytes, or undefined when it isn't base64 (or base64url) of exactly that many */
export function decodeMasterKey(key: string): Buffer | undefined {
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(key)) return undefined;
  const bytes = Buffer.from(key, 'base64');
  return bytes.length === 32 ? bytes : undefined;
}
