import type { Config } from '../../config/config.ts';

/** Steps before and after the present one that are accepted (RFC 6238 §5.2). */
const WINDOW = 1;
const DIGITS = 6;

export interface Parameters {
  readonly algorithm: Config['totp']['algorithm'];
  /** Seconds of a step. */
  readonly period: number;
}

/** Any script's digits, spaces and hyphens are typed or pasted; letters never. @returns undefined for no six digits */
export function readCode(typed: string): string | undefined {
  if (typed.length > 40) return undefined;
  const code = typed.normalize('NFKC').replace(/[\s\p{Pd}\p{Default_Ignorable_Code_Point}]/gu, '');
  return new RegExp(`^\\d{${DIGITS}}$`).test(code) ? code : undefined;
}

/**
 * The time step a code belongs to (RFC 6238), looked for in the window around now.
 * @param secret base32 (RFC 4648), as apps take it
 * @param now seconds since the epoch
 */
export async function stepOf(
  code: string,
  secret: string,
  { algorithm, period }: Parameters,
  now: number,
): Promise<number | undefined> {
  const { verify } = await import('otplib');
  const result = await verify({
    secret,
    token: code,
    algorithm,
    period,
    digits: DIGITS,
    epoch: now,
    epochTolerance: WINDOW * period,
  });
  return result.valid && 'timeStep' in result ? result.timeStep : undefined;
}

/** Key Uri Format, as every app reads it from a QR code. */
export async function otpauth(
  secret: string,
  { algorithm, period }: Parameters,
  issuer: string,
  label: string,
): Promise<string> {
  const { generateURI } = await import('otplib');
  return generateURI({ issuer, label, secret, algorithm, period, digits: DIGITS });
}

/** @param bytes 20: as long as the hash that most apps use (RFC 4226 §4, R6). @returns base32 (RFC 4648), unpadded */
export async function toSecret(bytes: Buffer): Promise<string> {
  const { ScureBase32Plugin } = await import('otplib');
  return new ScureBase32Plugin().encode(Uint8Array.from(bytes)).replace(/=+$/, '');
}
