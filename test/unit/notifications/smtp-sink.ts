import type { AddressInfo } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { freePort } from '../../support/ports.ts';

/** What the world outside answers: an SMTP status, or nothing at all. Undefined: yes. */
export type Answer = number | 'silence' | 'hang-up' | undefined;

export interface Sink {
  readonly port: number;
  /** Everything that was taken, as it came. */
  readonly taken: string[];
  /** Everything that was sent up to its last line, taken or not. */
  readonly seen: string[];
  /** Recipients named to it, refused ones as well. */
  readonly recipients: string[];
  connections(): number;
  messageIds(): string[];
  mails(): Promise<ParsedMail[]>;
  close(): Promise<void>;
}

export interface Behaviour {
  readonly port?: number;
  readonly onSender?: () => Answer;
  readonly onRecipient?: (address: string) => Answer;
  readonly onData?: () => Answer | Promise<Answer>;
  /** The only account; without it, nobody has to sign in. */
  readonly account?: { readonly username: string; readonly password: string };
  /** With a certificate nobody vouches for. */
  readonly startTls?: boolean;
}

/** An SMTP server on loopback that keeps what it is sent. */
export async function startSink(behaviour: Behaviour = {}): Promise<Sink> {
  const { account } = behaviour;
  const sockets = new Set<{ destroy(): void }>();
  let connections = 0;
  const taken: string[] = [];
  const seen: string[] = [];
  const recipients: string[] = [];
  const server = new SMTPServer({
    disabledCommands: [...(account ? [] : ['AUTH']), ...(behaviour.startTls ? [] : ['STARTTLS'])],
    disableReverseLookup: true,
    closeTimeout: 200,
    authOptional: !account,
    allowInsecureAuth: true,
    onAuth({ username, password }, _session, done) {
      if (username === account?.username && password === account?.password) done(null, { user: username });
      else done(new Error('no'));
    },
    onMailFrom: (_address, _session, done) => answer(behaviour.onSender?.(), done),
    onRcptTo({ address }, _session, done) {
      recipients.push(address);
      answer(behaviour.onRecipient?.(address), done, address);
    },
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.once('end', async () => {
        const mail = Buffer.concat(chunks).toString('utf8');
        seen.push(mail);
        const said = await behaviour.onData?.();
        if (said === undefined) taken.push(mail);
        answer(said, done);
      });
    },
  });
  const hangUp = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  function answer(said: Answer, done: (error?: Error | null) => void, about = ''): void {
    if (said === 'silence') return;
    if (said === 'hang-up') {
      hangUp();
      return;
    }
    // A server quotes what it was given: nothing of it may reach our log.
    done(said === undefined ? null : Object.assign(new Error(`5.7.1 <${about}> not now`), { responseCode: said }));
  }
  server.server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(behaviour.port ?? 0, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    taken,
    seen,
    recipients,
    connections: () => connections,
    messageIds: () => taken.map((mail) => /^Message-ID: (.+)\r$/im.exec(mail)?.[1] ?? ''),
    mails: () => Promise.all(taken.map((mail) => simpleParser(mail))),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        hangUp();
      }),
  };
}

/** Where nobody listens, until a sink is started there. */
export const nobodysPort = (): Promise<number> => freePort();
