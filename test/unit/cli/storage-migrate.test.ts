import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Outcome, temporaryFolder, vestibule } from './program.ts';

const newKey = (): string => randomBytes(32).toString('base64');
const [ONE, TWO] = [newKey(), newKey()];

let folder = '';
beforeEach(() => {
  folder = temporaryFolder();
});

/** A file that names storage that isn't there, and these keys. */
function settings(name: string, masterKey?: string): string {
  const file = join(folder, `${name}.yaml`);
  const engine = (half: string) => ({ engine: 'sqlite', path: join(folder, name, `${half}.db`) });
  const storage = { durable: engine('durable'), ephemeral: engine('ephemeral') };
  writeFileSync(file, JSON.stringify({ storage, ...(masterKey === undefined ? {} : { master_key: masterKey }) }));
  return file;
}

const migrate = (from: string | undefined, to: string | undefined, env = {}): Promise<Outcome> =>
  vestibule(['storage', 'migrate', '--from', settings('from', from), '--to', settings('to', to)], env);

/** What is said once the keys are found to be the same: it would go on. */
const WENT_ON = /There is no durable database/;

describe('master keys of the two sides', () => {
  test.each<[string, string | undefined, string | undefined, RegExp]>([
    ['another one', ONE, TWO, /first master_key of --to is another one/],
    ['the same in another order', `${ONE}\n${TWO}`, `${TWO}\n${ONE}`, /first master_key of --to is another one/],
    ['one too few', `${ONE}\n${TWO}`, ONE, /--to lacks one of those of --from/],
    ['none at the target', ONE, undefined, /--from has a master_key, --to names none/],
    ['none at the source', undefined, ONE, /--to has a master_key, --from names none/],
    ['one that can’t be read', ONE, '${file:nowhere.key}', /nowhere\.key does not exist/],
  ])('%s: refused, and none is shown', async (_how, from, to, sentence) => {
    const { code, stdout, stderr } = await migrate(from, to);
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(sentence)]);
    for (const key of [ONE, TWO]) expect(stderr).not.toContain(key);
  });

  test.each<[string, string | undefined, string | undefined]>([
    ['the same', ONE, ONE],
    ['one more behind it at the target', ONE, `${ONE}\n${TWO}`],
    ['none on either side', undefined, undefined],
  ])('%s: nothing is said against it', async (_how, from, to) => {
    expect((await migrate(from, to)).stderr).toMatch(WENT_ON);
  });

  test('VESTIBULE_MASTER_KEY counts for a side that names none, and for no other', async () => {
    const env = { VESTIBULE_MASTER_KEY: ONE };
    expect((await migrate(ONE, undefined, env)).stderr).toMatch(WENT_ON);
    expect((await migrate(undefined, TWO, env)).stderr).toMatch(/another one than that of --from/);
    expect((await migrate(TWO, TWO, env)).stderr).toMatch(WENT_ON);
  });
});
