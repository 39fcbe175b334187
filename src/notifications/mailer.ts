import type { Transporter } from 'nodemailer';
import type { Config } from '../config/config.ts';
import { isPlainAddress } from './address.ts';

export interface Mail {
  readonly to: string;
  /** Whose name stands beside the sender's address; the operator's where it is left out. */
  readonly from?: string | undefined;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Whose trouble it is: the mail server's, so that no other mail will fare better; this mail's, for now or for good. */
export type Fault = 'server' | 'deferred' | 'refused';

/** Why a mail was not taken, without anything personal: what a server says may hold addresses. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  readonly fault: Fault;

  constructor(fault: Fault, reason: string) {
    super(reason);
    this.fault = fault;
  }
}

export interface Mailer {
  /** How many mails it sends at once. */
  readonly connections: number;
  /**
   * Resolves when the SMTP server has taken it.
   * @param id becomes the Message-ID: a mail sent again is known as the same
   * @throws DeliveryError
   */
  send(mail: Mail, id: string): Promise<void>;
  /** Cuts off a mail under way, which the server then throws away. */
  close(): Promise<void>;
}

/** Milliseconds for each of connecting, greeting and any later silence. */
const PATIENCE = 15_000;
/** A mail may take as long as twice that: a server that trickles would never count as silent. */
const STAGES = 2;

/** @returns undefined where no mail server is configured */
export function createMailer(
  { mail: settings, branding, issuer }: Pick<Config, 'mail' | 'branding' | 'issuer'>,
  patience: number = PATIENCE,
): Mailer | undefined {
  if (!settings) return undefined;
  const { host, port, tls, username, password } = settings;
  const options = {
    host,
    port,
    secure: tls === 'implicit',
    // Without it, a server that doesn't offer encryption would be sent everything in clear.
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    pool: true,
    maxConnections: settings.connections,
    // One try more on a connection that the server had closed while it was idle; the outbox does the rest.
    maxRequeues: 1,
    connectionTimeout: patience,
    greetingTimeout: patience,
    socketTimeout: patience,
    // Nothing in a mail is ever fetched from a file or an address.
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(username === undefined || password === undefined ? {} : { auth: { user: username, pass: password } }),
  } as const;
  const { hostname } = new URL(issuer);
  // Loaded with the first mail: a start must not wait for what is needed now and then.
  let transport: Promise<Transporter> | undefined;
  const connected = async () => (await import('nodemailer')).createTransport(options);
  return {
    connections: settings.connections,
    async send({ to, from, subject, text, html }, id) {
      if (!isPlainAddress(to)) throw new DeliveryError('refused', 'not one plain address');
      transport ??= connected();
      try {
        await (await transport).sendMail({
          from: { name: from ?? branding.name, address: settings.from },
          to: { name: '', address: to },
          subject,
          text,
          html,
          messageId: `<${id}@${hostname}>`,
          // RFC 3834: no holiday note comes back.
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal: AbortSignal.timeout(patience * STAGES),
        });
      } catch (error) {
        throw deliveryError(error);
      }
    },
    async close() {
      (await transport)?.close({ force: true });
    },
  };
}

interface SmtpFailure {
  readonly code?: unknown;
  readonly originalCode?: unknown;
  readonly command?: unknown;
  readonly responseCode?: unknown;
  readonly response?: unknown;
}

/** "Authentication required" and its kin come in answer to a mail, and are about us. */
const ABOUT_US = new Set([421, 530, 534, 535, 538]);
/** A bad sequence of commands is the connection's trouble; the mail may well go through on the next. */
const OUT_OF_STEP = 503;

function deliveryError(error: unknown): DeliveryError {
  const { code, originalCode, command, responseCode, response } = error as SmtpFailure;
  const status = typeof responseCode === 'number' ? responseCode : undefined;
  const parts = [code, originalCode, command, status, enhancedStatus(response)];
  const reason = parts.filter((part) => part !== undefined).join(' ');
  return new DeliveryError(faultOf(code, command, status), reason || 'unexpected');
}

function faultOf(code: unknown, command: unknown, status: number | undefined): Fault {
  if (code !== 'EENVELOPE' && code !== 'EMESSAGE') return typeof code === 'string' ? 'server' : 'deferred';
  if (status === undefined) return 'refused';
  // Whoever sends is the same for every mail: a mistake in `mail.from` must not bury them all.
  if (ABOUT_US.has(status) || (command === 'MAIL FROM' && status >= 500)) return 'server';
  return status >= 500 && status !== OUT_OF_STEP ? 'refused' : 'deferred';
}

/** RFC 3463: `5.1.1` says more than 550, and nothing about the person. */
const enhancedStatus = (response: unknown): string | undefined =>
  typeof response === 'string' ? /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1] : undefined;
