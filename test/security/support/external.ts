import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { arrive, claimsAt, type Place } from '../../support/external.ts';
import type { Page } from '../../support/page.ts';
import type { Person, Vestibule } from '../../support/vestibule.ts';
import type { Visitor } from '../../support/visitor.ts';
import { expectErrorPage, REFERENCE } from './answers.ts';

const texts = JSON.parse(readFileSync(join(import.meta.dirname, '../../../src/i18n/en.json'), 'utf8')) as {
  readonly errors: Readonly<Record<'external_failed' | 'external_expired', { readonly title: string }>>;
};

export interface Scene extends Place {
  readonly vestibule: Vestibule;
}

/** A sign-in under way, and the address of its first page. */
export async function begin(scene: Scene, parameters: Readonly<Record<string, string>> = {}) {
  const visitor = await arrive(scene, parameters);
  return { visitor, first: visitor.page.url };
}

/** What a person may read of it, and what must never be written. */
const INSIDE =
  /id_token|nonce|issuer|audience|signature|claim|algorithm|upstream|openid|jwt|jwe|mellon|access-token-of/i;
const SECRETS = /mellon|access-token-of|eyJ[\w-]{8,}|code-\d/;

/**
 * The generic page with a reference, under which the log has the reason and nothing that is a secret.
 * @param reason as the log has it
 */
export async function expectRefused(
  { vestibule }: Scene,
  page: Page,
  reason: RegExp,
  error: 'external_failed' | 'external_expired' = 'external_failed',
): Promise<void> {
  // Whose fault it was is nothing the person has to know.
  expect([400, 502]).toContain(page.status);
  await expectErrorPage(vestibule, page, page.status);
  expect(page.heading).toBe(texts.errors[error].title);
  // A reference may spell anything.
  expect(page.text.replace(REFERENCE, '')).not.toMatch(INSIDE);
  const reference = page.textOf((element) => element.name === 'code') ?? '';
  const lines = vestibule.logs.filter(({ request_id }) => request_id === reference).map((line) => JSON.stringify(line));
  expect(lines.join('\n')).toMatch(reason);
  expect(lines.join('\n')).not.toMatch(SECRETS);
}

/** The sign-in that went wrong goes on with a password, in the same browser. */
export async function expectUsable(scene: Scene, visitor: Visitor, first: URL, person: Person): Promise<void> {
  await visitor.visit(first);
  expect(visitor.page.step).toBe('identify');
  await visitor.submit({ username: person.username });
  await visitor.submit({ password: person.password });
  expect(await claimsAt(scene, visitor)).toMatchObject({ amr: ['pwd'], acr: 'https://refeds.org/profile/sfa' });
}
