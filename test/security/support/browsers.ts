import type { Visitor } from '../../support/visitor.ts';
import { csrfOn } from './account-area.ts';

/** Set with a sign-in: such a browser has tries of its own at the password. */
export const KNOWN_COOKIE = 'vestibule_known';

/** What a form of the page on show has to carry. */
export const tokenOn = ({ page }: Visitor): { _csrf: string } => ({ _csrf: csrfOn(page) });

/** Ends the session in a browser, which the account stays known in. */
export function forgetSession({ cookies }: Visitor): void {
  for (const { name } of cookies.all) if (name !== KNOWN_COOKIE) cookies.clear(name);
}
