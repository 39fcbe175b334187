/**
 * The keys within `master_key`: one a line, so that a new one can be put first while the old ones
 * still open what they sealed.
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
