import type { AddressInfo } from 'node:net';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import type { ReceivedMail } from './messages.ts';

const MAX_MAIL_BYTES = 1_048_576;
const MAX_RECIPIENTS = 20;
const MAX_CONNECTIONS = 50;

/** An SMTP server (RFC 5321) on loopback that accepts every mail, delivers none and hands them to `take`. */
export async function receiveMail(options: {
  readonly port: number;
  readonly take: (mail: ReceivedMail) => void;
  readonly log: (line: string) => void;
}): Promise<{ port: number; close(): Promise<void> }> {
  const server = new SMTPServer({
    banner: 'Demo mailbox',
    // No TLS and no accounts: it listens on loopback only, and what it holds is made up.
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: MAX_MAIL_BYTES,
    maxClients: MAX_CONNECTIONS,
    socketTimeout: 10_000,
    closeTimeout: 500,
    onRcptTo(_address, session, done) {
      done(session.envelope.rcptTo.length < MAX_RECIPIENTS ? null : refusal('Too many recipients', 452));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      let size = 0;
      stream.on('data', (chunk: Buffer) => {
        size += chunk.length;
        // The rest is read and dropped: the sender hears of it at the end.
        if (size <= MAX_MAIL_BYTES) chunks.push(chunk);
      });
      stream.once('error', done);
      stream.once('end', () => {
        if (size > MAX_MAIL_BYTES) {
          done(refusal('The mail is larger than 1 MiB', 552));
          return;
        }
        simpleParser(Buffer.concat(chunks)).then((mail) => {
          options.take({
            to: session.envelope.rcptTo.map(({ address }) => address).join(', '),
            subject: mail.subject ?? '',
            text: mail.text ?? '',
            html: mail.html || '',
            date: new Date().toISOString(),
          });
          done(null, 'In the mailbox');
        }, done);
      });
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  // A broken connection is the sender's trouble; unheard, it would end the program.
  server.on('error', (error) => options.log(`mailbox: ${error.message}`));
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

const refusal = (message: string, responseCode: number): Error => Object.assign(new Error(message), { responseCode });
