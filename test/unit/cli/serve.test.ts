import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { startFailure, stopRequested } from '../../../src/cli/serve.ts';
import { OperatorError } from '../../../src/kernel/errors.ts';
import { temporaryFolder, vestibule } from './program.ts';

describe('serve with a configuration that has problems', () => {
  test('lists all of them on standard error and exits 1', async () => {
    const directory = temporaryFolder();
    mkdirSync(join(directory, 'clients'));
    writeFileSync(join(directory, 'vestibule.yaml'), 'issuer: http://login.test\nlissten: {}\n');
    writeFileSync(join(directory, 'clients/portal.yaml'), 'client_id: portal\n');
    const { code, stdout, stderr } = await vestibule(['serve', '--config', directory]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('has 6 problems:');
    expect(stderr).toContain('vestibule.yaml:1:9  issuer  must begin with https://');
    expect(stderr).toContain('npx vestibule init');
    expect(stderr).toContain('portal.yaml:1:1  client_name  is missing');
    expect(stderr).not.toMatch(/^ +at /m);
  });

  test('refuses development secrets outside development', async () => {
    const directory = temporaryFolder();
    mkdirSync(join(directory, 'clients'));
    writeFileSync(join(directory, 'vestibule.yaml'), 'issuer: http://localhost:3000\n');
    writeFileSync(
      join(directory, 'clients/mutuelle.yaml'),
      'client_id: mutuelle\nclient_name: Mutuelle\nclient_secret: mutuelle-demo-secret\nredirect_uris: [http://localhost:3001/cb]\n',
    );
    const env = { VESTIBULE_MASTER_KEY: randomBytes(32).toString('base64') };
    const { code, stderr } = await vestibule(['serve', '--config', directory], env);
    expect(code).toBe(1);
    expect(stderr).toContain('mutuelle.yaml:3:16  client_secret  is a development secret');
    expect(stderr).not.toContain('mutuelle-demo-secret');
  });
});

describe('stopping', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test.each(['SIGTERM', 'SIGINT'])('is asked for by %s', async (signal) => {
    const signals = new EventEmitter();
    const stopped = stopRequested(signals, () => undefined);
    signals.emit(signal);
    await expect(stopped).resolves.toBeUndefined();
  });

  test('is not cut short by the same Ctrl-C coming twice, as through npm, but by an operator who insists', async () => {
    const clock = jest.spyOn(performance, 'now').mockReturnValue(10_000);
    const signals = new EventEmitter();
    const giveUp = jest.fn();
    const stopped = stopRequested(signals, giveUp);
    signals.emit('SIGINT');
    await stopped;
    clock.mockReturnValue(10_050);
    signals.emit('SIGINT');
    expect(giveUp).not.toHaveBeenCalled();
    clock.mockReturnValue(13_000);
    signals.emit('SIGTERM');
    expect(giveUp).toHaveBeenCalledTimes(1);
  });
});

describe('a port that can’t be opened is explained', () => {
  test.each([
    ['EADDRINUSE', /127\.0\.0\.1:3000 is in use.*PORT, OPERATIONS_PORT/],
    ['EADDRNOTAVAIL', /127\.0\.0\.1:3000 is no address of this machine/],
    ['EACCES', /may not open port 3000/],
  ])('%s', (code, message) => {
    const explained = startFailure(Object.assign(new Error('listen'), { code, address: '127.0.0.1', port: 3000 }));
    expect(explained).toBeInstanceOf(OperatorError);
    expect((explained as Error).message).toMatch(message);
  });

  test('other errors stay as they are', () => {
    const error = new Error('a bug');
    expect(startFailure(error)).toBe(error);
  });
});
