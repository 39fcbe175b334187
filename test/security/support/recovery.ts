import { linkIn, type MailSink, nothingOwed, type ReceivedMail } from '../../support/mail-sink.ts';
import type { Page } from '../../support/page.ts';
import type { Person } from '../../support/seed.ts';
import type { Vestibule } from '../../support/vestibule.ts';
import { Visitor } from '../../support/visitor.ts';
import { csrfOn } from './account-area.ts';

export const ASK = '/recovery/password';
export const ASK_USERNAME = '/recovery/username';
export const NEW = '/recovery/password/new';
export const NOT_ME = '/recovery/not-me';
/** What the link of a mail becomes in the browser that opens it. */
export const LINK_COOKIE = 'vestibule_link';
export const RESUME_COOKIE = 'vestibule_resume_password';
/** About the mail with a link to a new password. */
export const CHOOSE = /new password/i;
/** Good by every rule, for everybody. */
export const BETTER = 'seven purple wheels under the harbour';

/** Limits that are somebody else's test. */
export const UNLIMITED = {
  address: { count: 100_000 },
  recovery_address: { count: 100_000 },
  recovery_account: { count: 1000 },
};

export const mailOf = ({ username }: Pick<Person, 'username'>): string => `${username}@example.org`;

/** Somebody with a mailbox that is known to be theirs. */
export const withMailbox = <P extends Person>(person: P): P & { email: string; emailVerified: true } => ({
  ...person,
  email: mailOf(person),
  emailVerified: true,
});

/** Who asks for what, and where the mails go. */
export interface Post {
  readonly vestibule: Vestibule;
  readonly sink: MailSink;
}

/** Asks for a link on the page for it. @param from `?interaction=…`, to come back to a sign-in */
export async function ask(
  vestibule: Vestibule,
  username: string,
  from = '',
  visitor = new Visitor(vestibule),
): Promise<Visitor> {
  await visitor.visit(`${ASK}${from}`);
  await visitor.submit({ username });
  return visitor;
}

/** The same, and waits for the mail. @returns the address in it */
export async function linkFor({ vestibule, sink }: Post, person: Person, from?: string): Promise<URL> {
  await ask(vestibule, person.username, from);
  return linkIn(await sink.next(mailOf(person), CHOOSE), NEW);
}

/** The link "This wasn't me" of the newest notice about somebody. */
export async function notMeLinkFor({ vestibule, sink }: Post, person: Person): Promise<URL> {
  await nothingOwed(vestibule);
  const notices = sink.to(mailOf(person)).filter(({ text }: ReceivedMail) => text.includes(NOT_ME));
  const newest = notices.at(-1);
  if (!newest) throw new Error(`nobody told ${person.username} anything`);
  return linkIn(newest, NOT_ME);
}

export const tokenIn = (link: URL): string => link.searchParams.get('token') ?? '';

/** Opens a link. */
export async function open(vestibule: Vestibule, link: URL, visitor = new Visitor(vestibule)): Promise<Visitor> {
  await visitor.visit(link);
  return visitor;
}

/** Fills in the page of a link. */
export const choose = (visitor: Visitor, password = BETTER): Promise<Page> =>
  visitor.submit({ new_password: password, new_password_again: password });

/** Sends the form of a link's page, and follows nothing. */
export const sendNew = (visitor: Visitor, password = BETTER, more: Readonly<Record<string, string>> = {}) =>
  visitor.request(
    'POST',
    new URL(NEW, visitor.page.url),
    new URLSearchParams({
      _csrf: csrfOn(visitor.page),
      new_password: password,
      new_password_again: password,
      ...more,
    }).toString(),
    { origin: visitor.page.url.origin },
  );

/** A browser to which somebody handed the token as if a link had been opened in it. */
export function holding(vestibule: Vestibule, token: string): Visitor {
  const visitor = new Visitor(vestibule);
  visitor.cookies.store(new URL(vestibule.issuer), [`${LINK_COOKIE}=${token}; Path=/`]);
  return visitor;
}
