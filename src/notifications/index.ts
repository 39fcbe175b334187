/**
 * What people are told by mail about their account: `notices.ts` says what and to whom,
 * `templates.ts` how it reads (`views/mail/`), `mailer.ts` hands it to the SMTP server.
 */
export { createMailer, type Mail, type Mailer } from './mailer.ts';
export { createNotices, type Notice, type Notices } from './notices.ts';
export { createSmsSender, type SendCode } from './sms.ts';
