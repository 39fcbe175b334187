import type { PageModel, PageName } from './models.ts';

/** The parts of the account area, as its navigation names them. */
const SECTIONS = [
  { id: 'passkeys', page: 'account-passkeys', href: '/account/passkeys' },
  { id: 'password', page: 'change-password', href: '/account/password' },
  { id: 'two-factor', page: 'account-two-factor', href: '/account/two-factor' },
  { id: 'identities', page: 'account-identities', href: '/account/identities' },
] as const satisfies readonly { id: string; page: PageName; href: string }[];

export interface Section {
  readonly id: (typeof SECTIONS)[number]['id'];
  /** It is the section's own page, not one below it. */
  readonly isPage: boolean;
}

/** Where in the account area a page is: its own, or one with a way back into it. @returns undefined elsewhere */
export function sectionOf(page: PageName, model: PageModel): Section | undefined {
  const back = 'backHref' in model ? model.backHref : undefined;
  const own = SECTIONS.find((section) => section.page === page);
  // A mailed link opens the page for a new password, too: without a way back, as nobody is signed in.
  if (own) return page === 'change-password' && back === undefined ? undefined : { id: own.id, isPage: true };
  const parent = SECTIONS.find(({ href }) => back?.startsWith(href));
  return parent && { id: parent.id, isPage: false };
}
