import { isLoopbackHost } from '../loopback.ts';
import type { Rule, ServerSubject } from './rule.ts';

/** The SMTP server notices go through. */
export const mailRules: readonly Rule<ServerSubject>[] = [
  {
    reads: ['mail'],
    *check({ settings: { mail, issuer } }) {
      if (!mail) {
        if (issuer.startsWith('https:'))
          yield {
            path: ['mail'],
            message: 'is not set: people are not told by mail when somebody changes how they sign in',
            warning: true,
          };
        return;
      }
      if (mail.tls === 'none' && !isLoopbackHost(mail.host)) {
        yield {
          path: ['mail', 'tls'],
          message: 'must be starttls or implicit: without encryption anybody on the way reads what people are sent',
        };
      }
      if ((mail.username === undefined) !== (mail.password === undefined)) {
        yield {
          path: ['mail', mail.username === undefined ? 'password' : 'username'],
          message: 'stands alone: username and password go together',
        };
      }
    },
  },
];
