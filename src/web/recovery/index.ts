/**
 * Pages for people who can't sign in. `requests.ts` asks for mails, `links.ts` is where the links of mails lead.
 * Nobody is signed in here: whoever has a link has shown that the mailbox is theirs, and nothing else.
 */
import type Router from '@koa/router';
import { createLinkRoutes } from './links.ts';
import { createRequestRoutes, type RecoveryDependencies } from './requests.ts';

export { donePath, takeResume } from './links.ts';
export { clientOf, signInOf } from './requests.ts';

export const createRecoveryRoutes = (deps: RecoveryDependencies): readonly Router[] => [
  createRequestRoutes(deps),
  createLinkRoutes(deps),
];
