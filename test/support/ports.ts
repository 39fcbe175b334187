import { createServer } from 'node:net';

// Below the range from which the system takes ports for outgoing connections (32768 and up), so
// that a port found free is not lent to somebody else before the server under test takes it.
const LOWEST = 20_000;
const PER_WORKER = 1_000;
const WORKERS = 12;

const worker = Number(process.env.JEST_WORKER_ID ?? '1') % WORKERS;
let next = Math.floor(Math.random() * PER_WORKER);

/** A TCP port on which nothing listens. Every Jest worker takes its own from its own range. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < PER_WORKER; tried++) {
    const port = LOWEST + worker * PER_WORKER + (next++ % PER_WORKER);
    if (await isFree(port)) return port;
  }
  throw new Error('no free port');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    // Every address at once: `localhost` may mean 127.0.0.1 or ::1.
    probe.listen({ port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
