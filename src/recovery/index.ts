/**
 * For people who can't sign in: a new password by mail, a forgotten username, "This wasn't me". `links.ts` is
 * what a mail's address is worth, `mails.ts` what is sent to whom, `recovery.ts` what comes of it.
 */
export { createLinks, LINK_MINUTES, type Link, type Links } from './links.ts';
export { createComposers } from './mails.ts';
export { createRecovery, type Origin, type Recovery, type Trail, type Who } from './recovery.ts';
