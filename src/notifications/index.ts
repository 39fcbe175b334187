/**
 * What people are told by mail: `notices.ts` is what is owed when something happens to an account,
 * `letters.ts` what each mail says and `templates.ts` how it reads (`views/mail/`), `worker.ts` sends what
 * the outbox holds and `mailer.ts` hands it to the SMTP server. And codes by SMS: `sms.ts`.
 */
export { isPlainAddress } from './address.ts';
export { createLetters, type Letters, type RecoveryLetter, type UsernamesLetter } from './letters.ts';
export { createMailer, DeliveryError, type Fault, type Mail, type Mailer } from './mailer.ts';
export {
  createNotices,
  NOTICE,
  type Notice,
  type Notices,
  type OwedNotice,
  readNotice,
} from './notices.ts';
export { createSmsSender, type SendCode } from './sms.ts';
export { type Composer, createMailWorker, type MailMeters, type MailOutcome, type MailWorker } from './worker.ts';
