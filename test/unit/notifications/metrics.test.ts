import { expect, test } from '@jest/globals';
import { createMetrics } from '../../../src/web/metrics.ts';

test('mails are counted by what became of them', async () => {
  const metrics = createMetrics(
    () => 0,
    async () => ({ waiting: 0, dead: 0 }),
  );
  metrics.mail('notice', 'sent');
  metrics.mail('notice', 'sent');
  metrics.mail('recovery', 'dead');
  const text = await metrics.registry.metrics();
  expect(text).toContain('vestibule_mails_total{kind="notice",outcome="sent"} 2');
  expect(text).toContain('vestibule_mails_total{kind="recovery",outcome="dead"} 1');
});

test('what waits is read when it is asked for; a storage that is away takes no other figure along', async () => {
  let away = false;
  let waiting = 3;
  const metrics = createMetrics(
    () => 7,
    async () => {
      if (away) throw new Error('storage.unavailable');
      return { waiting, dead: 1 };
    },
  );
  expect(await metrics.registry.metrics()).toContain('vestibule_outbox_mails{state="waiting"} 3');
  waiting = 0;
  const later = await metrics.registry.metrics();
  expect(later).toContain('vestibule_outbox_mails{state="waiting"} 0');
  expect(later).toContain('vestibule_outbox_mails{state="dead"} 1');
  away = true;
  const last = await metrics.registry.metrics();
  expect(last).not.toMatch(/^vestibule_outbox_mails\{/m);
  expect(last).toContain('vestibule_password_hash_queue_depth 7');
});
