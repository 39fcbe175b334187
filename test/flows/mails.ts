import { createServer, type Socket } from 'node:net';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import type { Person, Vestibule } from '../support/vestibule.ts';
import { until } from './arrange.ts';

/** Another address than the account's name, so that neither is taken for the other. */
export const addressOf = ({ username }: Pick<Person, 'username'>): string => `${username}@mail.example`;

/** Everybody with a mailbox that is known to be theirs. */
export const reachable = (people: readonly Person[]): readonly Person[] =>
  people.map((person) => ({ email: addressOf(person), emailVerified: true, ...person }));

/** One figure of the server's metrics, by name and labels as they are written there. */
export async function metric(vestibule: Vestibule, name: string): Promise<number> {
  const text = await (await fetch(`${vestibule.operationsUrl}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? Number.NaN);
}

/** In the place of a mail server: takes connections, and says nothing at all. */
export async function startSilentServer(port: number): Promise<{
  /** Resolves when somebody has called. */
  called(): Promise<void>;
  close(): Promise<void>;
}> {
  const callers = new Set<Socket>();
  let calls = 0;
  const server = createServer((socket) => {
    calls += 1;
    callers.add(socket.on('close', () => callers.delete(socket)).on('error', () => {}));
  });
  await new Promise<void>((done, fail) => server.once('error', fail).listen(port, '127.0.0.1', done));
  return {
    called: () =>
      until(
        () => calls > 0,
        () => 'nobody called the mail server',
      ),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of callers) socket.destroy();
      }),
  };
}

/** A mail server that takes the first mail, and then says that it did not: a sender has to send it again. */
export async function startForgetfulServer(port: number): Promise<{
  readonly taken: readonly { readonly messageId: string; readonly text: string }[];
  close(): Promise<void>;
}> {
  const taken: { messageId: string; text: string }[] = [];
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 100,
    onData(stream, _session, done) {
      simpleParser(stream).then(({ messageId = '', text = '' }) => {
        taken.push({ messageId, text });
        done(taken.length > 1 ? null : Object.assign(new Error('try again'), { responseCode: 451 }));
      }, done);
    },
  });
  server.on('error', () => {});
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  return { taken, close: () => new Promise((done) => server.close(() => done())) };
}
