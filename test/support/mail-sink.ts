import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

const ARRIVES_WITHIN_MS = 10_000;
const POLL_EVERY_MS = 20;

/** A mail as its reader sees it. */
export interface ReceivedMail {
  /** Everybody it was handed over for, whatever its head says. */
  readonly recipients: readonly string[];
  readonly to: string;
  readonly from: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
  /** Lower case, as they came. */
  readonly headers: ReadonlyMap<string, unknown>;
}

export interface MailSinkOptions {
  /** For one that comes back after an outage. */
  readonly port?: number;
  /** @returns the SMTP status with which somebody's mail is refused */
  readonly refuse?: (address: string) => number | undefined;
}

/** The mail server of the world outside: takes what it is sent, on loopback. */
export interface MailSink {
  readonly port: number;
  /** Section `mail` of `vestibule.yaml`. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Everything taken so far, in the order of arrival. */
  readonly mails: readonly ReceivedMail[];
  to(address: string): readonly ReceivedMail[];
  /** The oldest mail to that address, past or to come, that no `next` gave before. @param about fits its subject */
  next(address: string, about?: RegExp): Promise<ReceivedMail>;
  close(): Promise<void>;
}

export async function startMailSink({ port = 0, refuse }: MailSinkOptions = {}): Promise<MailSink> {
  const mails: ReceivedMail[] = [];
  const given = new Set<ReceivedMail>();
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    authOptional: true,
    closeTimeout: 200,
    onRcptTo({ address }, _session, done) {
      const responseCode = refuse?.(address);
      done(responseCode === undefined ? null : Object.assign(new Error('refused'), { responseCode }));
    },
    async onData(stream, { envelope }, done) {
      let parsed: ParsedMail;
      try {
        parsed = await simpleParser(stream);
      } catch (error) {
        // The sender was killed in the middle of it: no mail.
        return done(error as Error);
      }
      const to = [parsed.to ?? []].flat().map((list) => list.text);
      mails.push({
        recipients: envelope.rcptTo.map(({ address }) => address),
        to: to.join(', '),
        from: parsed.from?.text ?? '',
        subject: parsed.subject ?? '',
        text: parsed.text ?? '',
        html: parsed.html || '',
        messageId: parsed.messageId ?? '',
        headers: parsed.headers,
      });
      done();
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const listening = (server.server.address() as AddressInfo).port;
  return {
    port: listening,
    settings: { host: '127.0.0.1', port: listening, tls: 'none', from: 'no-reply@sink.example' },
    mails,
    to: (address) => mails.filter(({ recipients }) => recipients.includes(address)),
    async next(address, about = /^/) {
      const deadline = performance.now() + ARRIVES_WITHIN_MS;
      while (performance.now() < deadline) {
        const mail = mails.find(
          (each) => !given.has(each) && each.recipients.includes(address) && about.test(each.subject),
        );
        if (mail) {
          given.add(mail);
          return mail;
        }
        await wait(POLL_EVERY_MS);
      }
      const subjects = mails.map(({ recipients, subject }) => `${recipients}: ${subject}`);
      throw new Error(`no mail to ${address} about ${about}; there were ${JSON.stringify(subjects)}`);
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** The link in a mail that leads to a path of the server. */
export function linkIn({ text, subject }: ReceivedMail, path: string): URL {
  // A name in the text may look like an address.
  const links = (text.match(/https?:\/\/\S+/g) ?? []).filter((each) => URL.canParse(each));
  const link = links.map((each) => new URL(each)).find(({ pathname }) => pathname === path);
  if (!link) throw new Error(`no link to ${path} in "${subject}": ${JSON.stringify(links)}`);
  return link;
}

/** Waits until the server owes nobody a mail: what was not sent by then never is. */
export async function nothingOwed({ operationsUrl }: { readonly operationsUrl: string }): Promise<void> {
  const deadline = performance.now() + ARRIVES_WITHIN_MS;
  let seen = '';
  while (performance.now() < deadline) {
    const metrics = await (await fetch(`${operationsUrl}/metrics`)).text();
    seen = /^vestibule_outbox_mails\{state="waiting"\} .*$/m.exec(metrics)?.[0] ?? '';
    if (seen.endsWith(' 0')) return;
    await wait(POLL_EVERY_MS);
  }
  throw new Error(`mails are still owed: ${seen}`);
}
