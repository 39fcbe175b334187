import { z } from 'zod';

// A schema reads each file once: checks compiled for speed would cost a start more (5 MB) than they save. It holds for all
// of zod: what passkeys are read with costs 2 µs more so.
z.config({ jitless: true });

const DURATION = 'a length of time such as 90s, 10m, 8h or 14d';
const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/**
 * Messages in these schemas are noun phrases that complete the sentence "must be …": `explain.ts`
 * builds the problem from them, so that no value is quoted here by accident.
 */

/** A length of time: seconds as a number, or `90s`, `10m`, `8h`, `14d`. Read as seconds. */
export const duration = z
  .union(
    [
      z.int().positive(DURATION),
      z
        .string()
        .regex(/^[1-9]\d{0,8}[smhd]$/, DURATION)
        .transform((text) => Number(text.slice(0, -1)) * UNITS[text.slice(-1) as keyof typeof UNITS]),
    ],
    { error: DURATION },
  )
  .describe('A length of time: seconds, or a number with s, m, h or d, such as 10m');

/** A value that no message may show; its proper forms are `${env:NAME}` and `${file:/path}`. */
export const secret = (minimum: number) => z.string().min(minimum).meta({ writeOnly: true });

/** Languages the pages speak; also the keys of every per-language text. */
export const LANGUAGES = ['en', 'fr', 'nl', 'de', 'it'] as const;
export type Language = (typeof LANGUAGES)[number];
export const language = z.enum(LANGUAGES);

/** A sentence per language; languages left out fall back to the default language. */
export const texts = z.partialRecord(language, z.string().min(1).max(500));

export const port = z.int().min(0).max(65_535);

/** What every address written in a file must be free of: each has fooled a URL comparison somewhere. */
const hasUserPart = (address: string) => /^[a-z][a-z0-9+.-]*:[/\\]*[^/\\?#]*@/i.test(address);
const hasOddCharacters = (address: string) => /[\s\\]|\p{Cc}/u.test(address);

export const plainAddress = (schema: z.ZodType<string, string>) =>
  schema
    .refine((value) => !hasOddCharacters(value), 'an address without spaces, backslashes or control characters')
    .refine((value) => !hasUserPart(value), 'an address without a user part (user@ before the host)');

/** An absolute http(s) address. */
export const webAddress = plainAddress(
  z.url({ protocol: /^https?$/, error: 'an address that begins with https:// (or http://)', abort: true }),
);

/** A web address that is scheme, host and port only, written as browsers write it. */
export const origin = webAddress.refine(
  (value) => !URL.canParse(value) || new URL(value).origin === value,
  'an origin such as https://login.example.org: in lower case, without path, default port or slash at the end',
);

/** A host name as in an address: lower case, no port. */
export const host = z
  .string()
  .regex(/^(?=.{1,253}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'a host name such as login.example.org, in lower case');

/** A CSS colour of the simple kind `#rrggbb`. */
export const colour = z.string().regex(/^#[0-9a-fA-F]{6}$/, 'a colour such as "#0b5fff" (in quotes)');
