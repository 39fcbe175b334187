import type { Transporter } from 'nodemailer';
import type { Config } from '../config/config.ts';

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface Mailer {
  /** Resolves when the SMTP server has taken it. @throws Error when it didn't */
  send(mail: Mail): Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds. A mail server that hangs must not hold a sign-in's notices for ever. */
const TIMEOUT = 15_000;

/** @returns undefined where no mail server is configured */
export function createMailer({ mail: settings, branding }: Config): Mailer | undefined {
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
    maxConnections: 2,
    connectionTimeout: TIMEOUT,
    greetingTimeout: TIMEOUT,
    socketTimeout: TIMEOUT,
    // Nothing in a mail is ever fetched from a file or an address.
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(username === undefined || password === undefined ? {} : { auth: { user: username, pass: password } }),
  } as const;
  // Loaded with the first mail: a start must not wait for what is needed now and then.
  let transport: Promise<Transporter> | undefined;
  const connected = async () => (await import('nodemailer')).createTransport(options);
  return {
    async send({ to, ...mail }) {
      transport ??= connected();
      // As an object: a list hidden in an address (`a@x, b@y`) stays one, and is refused.
      await (await transport).sendMail({
        from: { name: branding.name, address: settings.from },
        to: { name: '', address: to },
        ...mail,
      });
    },
    async close() {
      (await transport)?.close();
    },
  };
}
