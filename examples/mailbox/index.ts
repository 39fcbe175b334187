/**
 * The demo's mailbox: takes every mail (SMTP) and every text message (`POST /sms`) the demo
 * sends and shows them. Nothing leaves the machine, nothing is kept beyond the last 500.
 */
import { readFile } from 'node:fs/promises';
import { demoAddresses } from '../addresses.ts';
import { type Answer, file, json, page, type Running, readBody, serve, type Visit } from '../shared/http.ts';
import type { Mail, Sms } from './messages.ts';
import { INERT_POLICY, mailboxPage, mailHtml, mailPage, notFoundPage } from './pages.ts';
import { receiveMail } from './smtp.ts';

const KEPT = 500;
const MAX_SMS_BYTES = 4096;

export interface MailboxOptions {
  /** Of the pages; 0 picks a free one. */
  readonly port: number;
  /** Of SMTP; 0 picks a free one. */
  readonly smtpPort: number;
  readonly log?: (line: string) => void;
}

export interface Mailbox extends Running {
  readonly smtpPort: number;
}

/** Listens on loopback only. @throws Error (`EADDRINUSE`) when a port is taken */
export async function startMailbox(options: MailboxOptions): Promise<Mailbox> {
  const log = options.log ?? ((line: string) => console.error(line));
  const mails: Mail[] = [];
  const texts: Sms[] = [];
  let received = 0;

  const takeSms = async ({ request }: Visit): Promise<Answer> => {
    // Only a program of this machine sends JSON here: a form on a foreign page can't.
    if (!request.headers['content-type']?.startsWith('application/json')) return json({ error: 'JSON, please' }, 415);
    const sms = parseSms(await readBody(request, MAX_SMS_BYTES));
    if (!sms) return json({ error: 'expected {"to": "+41…", "text": "…"}' }, 400);
    keep(texts, { ...sms, date: new Date().toISOString() });
    return { status: 204, body: '', headers: {} };
  };

  const route = async (visit: Visit): Promise<Answer | undefined> => {
    const [first = '', id = '', part] = visit.url.pathname.split('/').slice(1);
    const mail = first === 'mails' ? mails.find((one) => String(one.id) === id) : undefined;
    switch (`${visit.method} /${first}`) {
      case 'GET /':
        return page(mailboxPage(mails, texts));
      case 'GET /mails':
        if (!mail) return undefined;
        if (part === 'html') return { ...page(mailHtml(mail)), headers: INERT_POLICY };
        return part === undefined ? page(mailPage(mail)) : undefined;
      case 'GET /messages.json':
        return json(mails.map(({ to, subject, text, html, date }) => ({ to, subject, text, html, date })));
      case 'GET /sms.json':
        return json(texts);
      case 'POST /sms':
        return takeSms(visit);
      case 'GET /mailbox.css':
        return file(await readFile(new URL('mailbox.css', import.meta.url)), 'text/css');
      default:
        return undefined;
    }
  };

  const smtp = await receiveMail({
    port: options.smtpPort,
    log,
    take: (mail) => {
      received += 1;
      keep(mails, { ...mail, id: received });
    },
  });
  try {
    const pages = await serve({
      port: options.port,
      log,
      handle: async (visit) => (await route(visit)) ?? page(notFoundPage(), 404),
      failed: () => ({ status: 500, body: 'Something went wrong\n', headers: {} }),
      contentSecurityPolicy:
        "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    });
    return {
      url: pages.url,
      smtpPort: smtp.port,
      close: async () => {
        await Promise.all([pages.close(), smtp.close()]);
      },
    };
  } catch (error) {
    await smtp.close();
    throw error;
  }
}

/** Newest first, the oldest beyond the limit forgotten. */
function keep<Message>(messages: Message[], message: Message): void {
  messages.unshift(message);
  messages.length = Math.min(messages.length, KEPT);
}

function parseSms(body: string): { to: string; text: string } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('to' in value) || !('text' in value)) return undefined;
  const { to, text } = value;
  return typeof to === 'string' && typeof text === 'string' ? { to, text } : undefined;
}

if (import.meta.main) {
  const { ports } = demoAddresses();
  const mailbox = await startMailbox({ port: ports.MAILBOX_PORT.port, smtpPort: ports.SMTP_PORT.port });
  console.log(`Mailbox: ${mailbox.url}/ (SMTP on port ${mailbox.smtpPort})`);
}
