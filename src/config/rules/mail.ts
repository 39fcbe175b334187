import { isLoopbackAddress, isLoopbackHost } from '../loopback.ts';
import type { Rule, ServerSubject } from './rule.ts';

/** Where mails and text messages go. */
export const mailRules: readonly Rule<ServerSubject>[] = [
  {
    reads: ['sms'],
    *check({ settings: { sms } }) {
      if (sms && !sms.url.startsWith('https:') && !isLoopbackAddress(sms.url)) {
        yield { path: ['sms', 'url'], message: 'must begin with https://: codes would be read by anybody on the way' };
      }
      if (sms && !Object.values(sms.body).some((value) => value.includes('{{text}}'))) {
        yield { path: ['sms', 'body'], message: 'has no {{text}}: the code would never be sent' };
      }
    },
  },
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
