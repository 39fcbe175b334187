import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'otplib';
import type { Page } from './page.ts';
import type { Person } from './seed.ts';
import type { Vestibule } from './vestibule.ts';
import type { Visitor } from './visitor.ts';

export const MFA = 'https://refeds.org/profile/mfa';
export const SFA = 'https://refeds.org/profile/sfa';
/** Seconds for which an app shows a code. */
export const STEP = 30;

/** Key of an authenticator app, base32, for people who come with one (`Person.totp`). */
export const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
export const withApp = { totp: { secret: SECRET } } satisfies Partial<Person>;

/** A list of recovery codes; each person's are hashed for that person. */
export const RECOVERY_CODES = Array.from({ length: 10 }, (_, n) => `7K3Q${n}-0XW2M-4TB9Z`);

/** What an app shows at the server's time, or so many steps before or after it. */
export const codeOf = (server: { now(): number }, secret = SECRET, steps = 0): Promise<string> =>
  generate({ secret, epoch: Math.floor(server.now() / 1000) + steps * STEP });

/** Six digits that the app doesn't show now, nor shortly before or after. */
export async function wrongCode(server: { now(): number }): Promise<string> {
  const near = await Promise.all([-3, -2, -1, 0, 1, 2, 3].map((steps) => codeOf(server, SECRET, steps)));
  return ['000000', '111111', '222222'].find((code) => !near.includes(code)) ?? '333333';
}

/** To the beginning of the next code: a fresh one, and nothing changes within the next half minute. */
export const nextCode = (vestibule: Vestibule): Promise<void> =>
  vestibule.advanceClock(STEP + 1 - (Math.floor(vestibule.now() / 1000) % STEP));

/** Username and password on the pages that are shown: what comes next is the second factor's. */
export async function passPassword(visitor: Visitor, person: Person): Promise<void> {
  await visitor.submit({ username: person.username });
  await visitor.submit({ password: person.password });
}

/** The key that an enrolment page shows for typing. */
export const keyOn = (page: Page): string =>
  page.textOf(({ attribs }) => attribs.class?.split(' ').includes('key') === true)?.replaceAll(' ', '') ?? '';

/** The recovery codes that a page shows. */
export const recoveryCodesOn = (page: Page): readonly string[] =>
  page.textOf(({ attribs }) => attribs.id === 'codes')?.match(/\S+/g) ?? [];

const texts = JSON.parse(readFileSync(join(import.meta.dirname, '../../src/i18n/en.json'), 'utf8')) as {
  readonly problems: Readonly<Record<string, string>>;
};

/** The sentence for a problem, whatever stands for its values. */
export function sentenceOf(code: string): RegExp {
  const text = texts.problems[code];
  if (text === undefined) throw new Error(`there is no sentence for "${code}"`);
  const literally = (part: string) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return new RegExp(
    text
      .split(/{{\w+}}/)
      .map(literally)
      .join('.+'),
  );
}

/**
 * People for the tests of one file, added in one go; every test takes new ones.
 * @param kinds what they have besides a password, and how many of each
 */
export function crowd<Kind extends string>(kinds: Readonly<Record<Kind, Partial<Person>>>, each = 40) {
  const password = 'a-demo-password-of-some-length';
  const waiting = new Map<Kind, Person[]>();
  for (const [kind, over] of Object.entries(kinds) as [Kind, Partial<Person>][])
    waiting.set(
      kind,
      Array.from({ length: each }, (_, n) => ({ username: `${kind}-${n}`, password, ...over })),
    );
  return {
    everybody: [...waiting.values()].flat(),
    next(kind: Kind): Person {
      const person = waiting.get(kind)?.pop();
      if (!person) throw new Error(`nobody is left of the kind ${kind}`);
      return person;
    },
  };
}
