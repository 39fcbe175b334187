import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type Argon2idSettings, calibrate } from '../../../src/cli/instance/calibrate.ts';
import { createInstance } from '../../../src/cli/instance/index.ts';
import { loadConfig } from '../../../src/config/index.ts';
import { OperatorError } from '../../../src/kernel/errors.ts';
import { REPOSITORY, temporaryFolder, vestibule } from './program.ts';

const HASHING = { memory_kib: 40_960, iterations: 3, parallelism: 1 };
const KEY = Buffer.from('0123456789abcdefghijklmnopqrstuv').toString('base64');
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('init', () => {
  test('creates a working directory that passes config check, and says what comes next', async () => {
    const directory = join(temporaryFolder(), 'login');
    const { code, stdout, stderr } = await vestibule(['init', directory]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`VESTIBULE_CONFIG=${directory}/config npm start`);
    expect(await vestibule(['config', 'check', join(directory, 'config')])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('no problems, no warnings'),
    });
    const { passwords } = loadConfig(join(directory, 'config'), {});
    expect(passwords.argon2id.memory_kib).toBeGreaterThanOrEqual(19_456);
    expect(passwords.argon2id.iterations).toBeGreaterThanOrEqual(2);
    // The key is nowhere but in its file.
    expect(stdout).not.toContain(readFileSync(join(directory, 'secrets/master.key'), 'utf8').trim());
  });

  test('makes another key each time', async () => {
    const folder = temporaryFolder();
    await Promise.all(['a', 'b'].map((name) => vestibule(['init', join(folder, name)])));
    const [a, b] = ['a', 'b'].map((name) => readFileSync(join(folder, name, 'secrets/master.key'), 'utf8'));
    expect(a).toHaveLength(45);
    expect(a).not.toBe(b);
  });

  test('creates ./instance when no directory is named', async () => {
    const folder = temporaryFolder();
    expect(await vestibule(['init'], {}, folder)).toMatchObject({ code: 0 });
    expect(statSync(join(folder, 'instance/config/vestibule.yaml')).isFile()).toBe(true);
  });
});

describe('the working directory', () => {
  test('is its owner’s alone', () => {
    const directory = join(temporaryFolder(), 'login');
    createInstance(directory, KEY, HASHING);
    for (const name of ['', 'config', 'config/clients', 'secrets', 'data'])
      expect(mode(join(directory, name))).toBe('700');
    expect(mode(join(directory, 'secrets/master.key'))).toBe('600');
  });

  test('holds the template with all its comments, the master key as a reference and the hashing measured', () => {
    const directory = join(temporaryFolder(), 'login');
    createInstance(directory, KEY, HASHING);
    const lines = (path: string) => readFileSync(path, 'utf8').split('\n');
    const template = lines(join(REPOSITORY, 'config/vestibule.yaml'));
    const made = lines(join(directory, 'config/vestibule.yaml'));
    expect(made).toHaveLength(template.length);
    expect(made.filter((line, index) => line !== template[index])).toEqual([
      'master_key: ${file:../secrets/master.key}',
      'passwords:',
      '  argon2id:',
      '    memory_kib: 40960',
      '    iterations: 3',
      '    parallelism: 1',
    ]);
    const config = loadConfig(join(directory, 'config'), {});
    expect(config.masterKeys).toEqual([KEY]);
    expect(config.passwords.argon2id).toEqual(HASHING);
    expect(config.storage.durable).toMatchObject({ path: join(directory, 'data/durable.db') });
    expect(lines(join(directory, 'config/clients/example.yaml.disabled'))).toEqual(
      lines(join(REPOSITORY, 'config/clients/example.yaml.disabled')),
    );
    expect(statSync(join(directory, 'config/schemas/vestibule.schema.json')).isFile()).toBe(true);
  });

  test('may lie in a directory that holds other things', () => {
    const directory = temporaryFolder();
    writeFileSync(join(directory, 'README.md'), 'mine');
    createInstance(directory, KEY, HASHING);
    expect(readFileSync(join(directory, 'README.md'), 'utf8')).toBe('mine');
  });

  test.each(['config', 'data', 'secrets'])(
    'is not made where %s exists: nothing is overwritten, nothing written',
    async (name) => {
      const directory = temporaryFolder();
      mkdirSync(join(directory, name));
      expect(() => createInstance(directory, KEY, HASHING)).toThrow(OperatorError);
      expect(await vestibule(['init', directory])).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining(name),
      });
      expect(() => statSync(join(directory, name === 'data' ? 'config' : 'data'))).toThrow();
    },
  );
});

describe('calibration of argon2id', () => {
  /** A machine that does so many KiB·passes a millisecond. */
  const machine = (speed: number) => {
    const tried: Argon2idSettings[] = [];
    const measure = (settings: Argon2idSettings): number => {
      tried.push(settings);
      return (settings.memory_kib * settings.iterations) / speed;
    };
    return { measure, tried };
  };

  test.each<readonly [string, number, Argon2idSettings]>([
    ['stays at the default on a slow machine', 100, { memory_kib: 19_456, iterations: 2, parallelism: 1 }],
    ['stays at the default where that takes the time', 778.24, { memory_kib: 19_456, iterations: 2, parallelism: 1 }],
    ['takes more memory on a faster one', 2000, { memory_kib: 49_152, iterations: 2, parallelism: 1 }],
    ['then more passes on a very fast one', 12_000, { memory_kib: 131_072, iterations: 4, parallelism: 1 }],
    ['stops at what the configuration allows', 10_000_000, { memory_kib: 131_072, iterations: 16, parallelism: 1 }],
  ])('%s', (_behaviour, speed, expected) => {
    const { measure } = machine(speed);
    expect(calibrate(50, measure)).toMatchObject(expected);
  });

  test('corrects itself where time does not grow with memory alone', () => {
    const measure = ({ memory_kib, iterations }: Argon2idSettings) => (memory_kib * iterations) ** 1.1 / 4000;
    const { duration } = calibrate(50, measure);
    expect(duration).toBeGreaterThan(40);
    expect(duration).toBeLessThanOrEqual(50);
  });

  test('never goes below the default, whatever the clock says', () => {
    for (const odd of [0.001, 1e9, 50]) {
      const { memory_kib, iterations } = calibrate(50, () => odd);
      expect(memory_kib).toBeGreaterThanOrEqual(19_456);
      expect(iterations).toBeGreaterThanOrEqual(2);
    }
  });
});
