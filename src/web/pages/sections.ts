import type { PageModel, PageName } from './models.ts';

/** The parts of the account area, as its navigation names them. */
const SECTIONS = [
  { id: 'passkeys', page: 'account-passkeys', href: '/account/passkeys' },
  { id: 'two-factor', page: 'account-two-factor', href: '/account/two-factor' },
] as const satisfies readonly { id: string; page: PageName; href: string }[];

export interface Section {
  readonly id: (typeof SECTIONS)[number]['id'];
  /** It is the section's own page, not one below it. */
  readonly isPage: boolean;
}

/** Where in the account area a page is: its own, or one with a way back into it. @returns undefined elsewhere */
export function sectionOf(page: PageName, model: PageModel): Section | undefined {
  const own = SECTIONS.find((section) => section.page === page);
  if (own) return { id: own.id, isPage: true };
  const back = 'backHref' in model ? model.backHref : undefined;
  const parent = SECTIONS.find(({ href }) => back?.startsWith(href));
  return parent && { id: parent.id, isPage: false };
}
