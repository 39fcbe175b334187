import { expect, test } from '@jest/globals';
import { HashQueue } from '../../../src/credentials/password/queue.ts';

const gate = () => {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
};

test('runs no more at once than allowed, the others in the order they came', async () => {
  const queue = new HashQueue(2, 10);
  const gates = [gate(), gate(), gate(), gate()];
  const order: number[] = [];
  const all = gates.map(({ opened }, index) =>
    queue.run(async () => {
      order.push(index);
      await opened;
      return index;
    }),
  );
  expect(order).toEqual([0, 1]);
  expect(queue.readings).toEqual({ running: 2, waiting: 2 });
  gates[1]?.open();
  await all[1];
  expect(order).toEqual([0, 1, 2]);
  for (const { open } of gates) open();
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
  expect(queue.readings).toEqual({ running: 0, waiting: 0 });
});

test('answers busy with a time to come back when too many wait', async () => {
  const queue = new HashQueue(1, 1);
  const first = gate();
  const running = queue.run(() => first.opened);
  const waiting = queue.run(async () => 'second');
  await expect(queue.run(async () => 'third')).rejects.toMatchObject({ code: 'busy', status: 503, retryAfter: 5 });
  first.open();
  await running;
  expect(await waiting).toBe('second');
});

test('work that fails makes room like work that succeeds', async () => {
  const queue = new HashQueue(1, 1);
  await expect(
    queue.run(async () => {
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  expect(await queue.run(async () => 'yes')).toBe('yes');
});
