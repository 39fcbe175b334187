import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { BSON } from 'mongodb';
import { freePort } from '../ports.ts';

/** Opcode of every message of today's drivers: header of 16 bytes, 4 of flags, then sections. */
const OP_MSG = 2013;
const HEADER = 16;
const FLAGS = 4;
/** Kind of the section that holds the command; it comes first. */
const BODY = 0;
const BSON_STRING = 2;

/** Stands between the server under test and MongoDB, and refuses what concerns some collections. */
export interface MongodbGate {
  readonly url: string;
  refuse(collection: string): void;
  allow(collection: string): void;
  close(): Promise<void>;
}

/** @param url of one server, reached directly */
export async function startMongodbGate(url: string): Promise<MongodbGate> {
  const refused = new Set<string>();
  const sockets = new Set<Socket>();
  const target = new URL(url);
  const server = createServer((client) => {
    const upstream = connect(Number(target.port || '27017'), target.hostname);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      // Whichever side breaks off, `close` follows.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    upstream.on('data', (answer: Buffer) => void client.write(answer));
    onMessage(client, (message) => {
      const collection = collectionOf(message);
      // A driver waits for the answer before it sends more on the connection: none can overtake another.
      if (collection !== undefined && refused.has(collection)) client.write(refusalOf(message));
      else upstream.write(message);
    });
  });
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  // A test that failed before it closed it must not keep the run from ending.
  server.unref();

  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String(port);
  through.searchParams.set('directConnection', 'true');
  return {
    url: through.href,
    refuse: (collection) => void refused.add(collection),
    allow: (collection) => void refused.delete(collection),
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Calls back for every whole message; the first four bytes say how long one is. */
function onMessage(socket: Socket, callback: (message: Buffer) => void): void {
  let received: Buffer = Buffer.alloc(0);
  socket.on('data', (data: Buffer) => {
    received = received.length === 0 ? data : Buffer.concat([received, data]);
    while (received.length >= 4 && received.length >= received.readInt32LE(0)) {
      const length = received.readInt32LE(0);
      callback(received.subarray(0, length));
      received = received.subarray(length);
    }
  });
}

/** The first element of a command names it, and its value is the collection: `{ find: 'accounts', … }`. */
function collectionOf(message: Buffer): string | undefined {
  const body = HEADER + FLAGS;
  if (message.readInt32LE(12) !== OP_MSG || message[body] !== BODY) return undefined;
  const element = body + 1 + 4;
  if (message[element] !== BSON_STRING) return undefined;
  const nameEnd = message.indexOf(0, element + 1);
  const length = message.readInt32LE(nameEnd + 1);
  return message.toString('utf8', nameEnd + 5, nameEnd + 5 + length - 1);
}

/** As a server answers to whom it does not let at the collection. */
function refusalOf(message: Buffer): Buffer {
  const document = BSON.serialize({ ok: 0, errmsg: 'not authorized', code: 13, codeName: 'Unauthorized' });
  const answer = Buffer.alloc(HEADER + FLAGS + 1 + document.length);
  answer.writeInt32LE(answer.length, 0);
  answer.writeInt32LE(message.readInt32LE(4), 8);
  answer.writeInt32LE(OP_MSG, 12);
  answer.set(document, HEADER + FLAGS + 1);
  return answer;
}
