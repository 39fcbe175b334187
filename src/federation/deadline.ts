import { UpstreamError } from './errors.ts';

/**
 * Does some work, however many requests it takes, within a time: an upstream that sends a byte a second holds nobody.
 *
 * @param ms milliseconds
 * @param work is given the signal to stop; what it shares with others need not heed it
 * @throws UpstreamError `too_slow`
 */
export async function within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new UpstreamError('too_slow', 'the upstream took too long'));
      controller.abort();
    }, ms);
  });
  try {
    return await Promise.race([work(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
