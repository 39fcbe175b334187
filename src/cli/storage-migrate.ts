import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { configDirectory, readStorageSettings, type StorageSettings } from '../config/index.ts';
import { systemClock as clock } from '../kernel/clock.ts';
import { OperatorError, VestibuleError } from '../kernel/errors.ts';
import { createLogger } from '../kernel/logger.ts';
import type { DurableStorage, EphemeralStorage, TransferPort } from '../storage/ports.ts';
import { openDurable, openEphemeral } from '../storage/registry.ts';
import { CONFIG_OPTION, type Command, type CommandIo, UsageError } from './command.ts';
import { Progress } from './progress.ts';
import { type Begun, begin, comparisonText, conclude, isSame, type Sides, transfer } from './transfer/index.ts';

const HALVES = ['durable', 'ephemeral'] as const;
type Half = (typeof HALVES)[number];
type Storage = StorageSettings['storage'];

const OPTIONS = {
  ...CONFIG_OPTION,
  from: { type: 'string' },
  to: { type: 'string' },
  half: { type: 'string' },
  resume: { type: 'boolean' },
} as const;

export const storageMigrate: Command = {
  name: 'storage migrate',
  summary: 'copy everything to another storage engine',
  usage: `
Usage: vestibule storage migrate [--from <config>] --to <config> [options]

Copies everything from one storage to another, engine or place, then reads both again and compares
counts and checksums. <config> is a configuration folder, or a YAML file of which only \`storage\` and
\`master_key\` are read. Take the new section over into vestibule.yaml afterwards; the old data stays as it is.

Stop every server first, on either side: what one writes meanwhile is missing in the copy. It is
found when both are compared, and the copy counts as unfinished. So a large copy can be begun while
the server runs: then stop it, and run the command again with --resume, which brings over what
changed.

Both sides must name the same master_key, several in the same order; VESTIBULE_MASTER_KEY counts for a side
that names none. What is sealed is copied as it is, never opened. The target must be empty, or an unfinished
copy from the same place; servers and other commands refuse that one. What has expired is left behind.

  --from <config>  where everything is (default: --config, VESTIBULE_CONFIG, or config)
  --to <config>    where it is to be
  --half <half>    only storage.durable (people, keys, refresh tokens) or storage.ephemeral (sessions, codes)
  --resume         go on with a copy that was interrupted, or that differed in the end: makes the target the
                   same as the source, and removes there what the source no longer has

Exits 0 when both sides are the same, 1 when not; what differs is listed.`,

  async run(args, io) {
    const { values } = parseArgs({ args, options: OPTIONS });
    if (values.to === undefined) throw new UsageError('--to is missing');
    const halves = HALVES.filter((half) => values.half === undefined || values.half === half);
    if (halves.length === 0) throw new UsageError(`--half is ${HALVES.join(' or ')}`);
    const from = readStorageSettings(values.from ?? values.config ?? configDirectory());
    const to = readStorageSettings(values.to);
    expectSameKeys(from, to);

    const opened: Opened[] = [];
    try {
      for (const half of halves) opened.push(await openBoth(half, from.storage, to.storage));
      return await migrate(opened, values.resume ?? false, io);
    } catch (error) {
      throw inWords(error);
    } finally {
      for (const { close } of opened) await close();
    }
  },
};

interface Opened {
  readonly half: Half;
  readonly source: TransferPort;
  readonly target: TransferPort;
  close(): Promise<void>;
}

async function migrate(opened: readonly Opened[], resume: boolean, io: CommandIo): Promise<number> {
  const apart = opened.filter(({ source, target }) => source.place !== target.place);
  if (apart.length === 0) throw new OperatorError('--from and --to name the same storage: there is nothing to copy.');
  for (const half of opened.filter((each) => !apart.includes(each)))
    io.stderr.write(`${half.half}: stays in ${half.source.place}\n`);

  // All are looked at before the first is written to.
  const copies: Copy[] = [];
  for (const each of apart) copies.push(await prepare(each, resume, io));
  let isFinished = true;
  for (const each of copies) if (!(await migrateHalf(each, io))) isFinished = false;
  for (const { begun, sides } of copies) if (begun.at) await conclude(sides, isFinished);
  return isFinished ? 0 : 1;
}

interface Copy {
  readonly half: Half;
  readonly sides: Sides;
  readonly begun: Begun;
  readonly progress: Progress;
}

async function prepare({ half, source, target }: Opened, resume: boolean, io: CommandIo): Promise<Copy> {
  const begun = await begin(source, target, resume);
  const total = await totalOf(source);
  // Sessions and codes may well have ended, all of them; keys are there from the first start on.
  if (half === 'durable' && total === 0)
    throw new OperatorError(`There is nothing in ${source.place}: is it the right one?`);
  const progress = new Progress(io.stderr, clock);
  const report: Sides['report'] = (phase, collection, rows) =>
    progress.show(`${half}: ${phase} ${collection}`, rows, total);
  return { half, sides: { source, target, clock, report }, begun, progress };
}

/** @returns whether both sides are the same now */
async function migrateHalf({ half, sides, begun, progress }: Copy, { stdout, stderr }: CommandIo): Promise<boolean> {
  const { source, target } = sides;
  const found = await transfer(sides, begun).finally(() => progress.clear());
  stdout.write(`${half}: ${source.place} → ${target.place}\n${found.map(comparisonText).join('')}`);
  if (found.every(isSame)) return true;
  stderr.write(
    begun.at
      ? `${half}: the two are not the same. Something wrote to one of them meanwhile: stop every server, and go on with --resume.\n`
      : `${half}: ${target.place} isn't empty, and is no unfinished copy: nothing was written.\n`,
  );
  return false;
}

async function totalOf(port: TransferPort): Promise<number> {
  let total = 0;
  for (const collection of port.collections) total += await port.count(collection);
  return total;
}

/**
 * What is sealed must open at the target; and the first key decides more than that: another one there would make
 * everybody somebody else to portals with pairwise subjects, and sign everybody out.
 *
 * @throws OperatorError when the target's server would not have the source's keys
 */
function expectSameKeys({ masterKeys: from }: StorageSettings, { masterKeys: to }: StorageSettings): void {
  const fault = differenceOf(from, to);
  if (fault) throw new OperatorError(`${fault} Nothing was copied.`);
}

function differenceOf(from: readonly string[], to: readonly string[]): string | undefined {
  if (from.length > 0 !== to.length > 0) {
    const [having, lacking] = to.length === 0 ? ['--from', '--to'] : ['--to', '--from'];
    return `${having} has a master_key, ${lacking} names none: name the same in both, or set VESTIBULE_MASTER_KEY.`;
  }
  if (from[0] !== to[0])
    return 'The first master_key of --to is another one than that of --from; cookies and pairwise subjects are made with it. Give both the same, in the same order.';
  if (!from.every((key) => to.includes(key)))
    return 'The master_key of --to lacks one of those of --from: what is sealed with it could not be opened there. Give both the same.';
  return undefined;
}

async function openBoth(half: Half, from: Storage, to: Storage): Promise<Opened> {
  const found = from[half];
  // Opening makes a file that isn't there: a mistyped path would pass for an empty storage.
  if ('path' in found && !existsSync(found.path))
    throw new OperatorError(`There is no ${half} database at ${found.path}.`);
  const source = await open(half, from);
  try {
    const target = await open(half, to);
    return {
      half,
      source: source.transfer,
      target: target.transfer,
      close: async () => {
        await target.close();
        await source.close();
      },
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

function open(half: Half, storage: Storage): Promise<DurableStorage | EphemeralStorage> {
  const context = { clock, logger: createLogger('silent') };
  return half === 'durable' ? openDurable(storage.durable, context) : openEphemeral(storage.ephemeral, context);
}

/** A database that fails on the way is the operator's to mend, not a fault of the program. */
function inWords(error: unknown): unknown {
  if (!(error instanceof VestibuleError)) return error;
  // Drivers quote addresses, which may hold a password.
  const reason = String(error.cause ?? error.message).replaceAll(/\/\/[^\s/]*@/g, '//***@');
  return new OperatorError(`The storage failed: ${reason}. What was copied stays; go on with --resume.`, {
    cause: error,
  });
}
