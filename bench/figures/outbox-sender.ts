/**
 * What the server does with its outbox, alone in a process that can be killed:
 * `node outbox-sender.ts <database> <SMTP port> <milliseconds the clock is ahead>`.
 * Ends when nothing is owed any more.
 */
import { createTexts } from '../../src/i18n/index.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { createLogger } from '../../src/kernel/logger.ts';
import { systemRandom as random } from '../../src/kernel/random.ts';
import { createLetters, createMailer, createMailWorker, readNotice } from '../../src/notifications/index.ts';
import { openDurable } from '../../src/storage/registry.ts';
import { accountOf, configOf } from './outbox-world.ts';

const [path = '', port = '', ahead = ''] = process.argv.slice(2);
const clock = { now: () => systemClock.now() + Number(ahead) };
const config = configOf(Number(port));
const logger = createLogger('error');
const storage = await openDurable({ engine: 'sqlite', path }, { clock, logger });
const mailer = createMailer(config);
if (!mailer) throw new Error('there is no mail server');
const letters = createLetters({ config, texts: createTexts({ defaultLanguage: 'en' }) });
const worker = createMailWorker({
  store: storage.outbox,
  mailer,
  composers: {
    notice: async ({ payload }) => {
      const notice = readNotice(payload);
      return letters.notice(
        accountOf(notice.accountId),
        notice,
        `${config.issuer}/recovery/not-me?token=${random.id()}`,
      );
    },
  },
  clock,
  random,
  logger,
  meters: { mail: () => undefined },
});
await worker.run();
await worker.close();
const { waiting, dead } = await storage.outbox.count();
if (waiting + dead > 0) throw new Error(`${waiting} mails wait, ${dead} were given up`);
await storage.close();
