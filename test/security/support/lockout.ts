import type { Page } from '../../support/page.ts';
import type { Portal } from '../../support/portal.ts';
import type { Vestibule } from '../../support/vestibule.ts';
import { Visitor } from '../../support/visitor.ts';

/** Wrong passwords in a row; the last one locks. */
export const TRIES = 5;
/** Seconds of the first lock. */
export const FIRST = 900;
/** Seconds after which nothing is held against a name. */
export const MEMORY = 86_400;
/** Counted like any other, and never hashed. */
export const TOO_LONG = 'x'.repeat(300);

let network = 0;

/** An address that nobody came from before. */
export const elsewhere = (): string => `198.51.${Math.floor(++network / 250) % 250}.${(network % 250) + 1}`;

/** A browser that comes from an address. The tests are the trusted proxy (`proxy.trusted`). */
export function visitorFrom(vestibule: Vestibule, address = elsewhere()): Visitor {
  const visitor = new Visitor(vestibule);
  visitor.headers = { 'x-forwarded-for': address };
  return visitor;
}

/** Somebody who named themselves: in front of the password, or of what stands in its place. */
export async function named(portal: Portal, username: string, visitor: Visitor): Promise<Visitor> {
  await visitor.visit(await portal.authorizationUrl());
  await visitor.submit({ username });
  return visitor;
}

/** The form in front of the visitor, to be sent as often as wanted without looking at the answers first. */
export function passwordForm(
  { page }: Visitor,
  password: string,
  field = 'password',
): ['POST', URL, string, { origin: string }] {
  const form = page.forms.find(({ names }) => names.includes(field));
  if (!form) throw new Error(`no password is asked for: ${page.describe()}`);
  const fields = new URLSearchParams();
  for (const { name, value } of form.fields) fields.set(name, name === field ? password : value);
  return ['POST', form.action, fields.toString(), { origin: page.url.origin }];
}

/** Uses up the tries of a name. @param visitor a stranger's browser unless said otherwise */
export async function lockOut(
  vestibule: Vestibule,
  portal: Portal,
  username: string,
  visitor = visitorFrom(vestibule),
): Promise<Visitor> {
  await named(portal, username, visitor);
  for (let n = 0; n < TRIES && visitor.page.step === 'password'; n++) await visitor.submit({ password: TOO_LONG });
  if (visitor.page.step !== 'locked') throw new Error(`not locked: ${visitor.page.describe()}`);
  return visitor;
}

/** How a try at a password ended. */
export function endingOf(page: Page): 'in' | 'wrong' | 'locked' | string {
  if (page.location?.pathname.endsWith('/locked') || page.step === 'locked') return 'locked';
  if (page.status === 303) return 'in';
  return page.status === 400 && page.step === 'password' ? 'wrong' : page.describe();
}

/** @returns how many ended in each way */
export function endings(pages: readonly Page[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const page of pages) counts[endingOf(page)] = (counts[endingOf(page)] ?? 0) + 1;
  return counts;
}

/** Of any number of guesses. Whoever is in has nothing left to guess: the tries up to the right one are forgotten. */
export const mostEvaluated = (right: number): number => TRIES * (1 + right);
