import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import Koa, { type Middleware } from 'koa';
import { VestibuleError } from '../../../src/kernel/errors.ts';
import { afterAnswer } from '../../../src/oidc/after-answer.ts';

const CALLBACK = 'https://portal.example/callback?code=secret';

/** What arrives when the library has answered with a code and a session, and `check` follows. */
async function answerBehind(check: Middleware): Promise<Response> {
  const app = new Koa();
  app.use(async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      ctx.status = (error as VestibuleError).status;
      ctx.body = 'failed';
    }
  });
  app.use(afterAnswer(check));
  app.use((ctx) => {
    ctx.set('Set-Cookie', 'session=secret');
    ctx.redirect(CALLBACK);
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as { port: number };
    return await fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual', headers: { connection: 'close' } });
  } finally {
    server.close();
  }
}

describe('a check after the answer', () => {
  test('that passes leaves it as it is', async () => {
    const answer = await answerBehind(async (_ctx, next) => void (await next()));
    expect([answer.status, answer.headers.get('location'), answer.headers.getSetCookie()]).toEqual([
      302,
      CALLBACK,
      ['session=secret'],
    ]);
  });

  test('that fails, or can’t be made, lets neither code nor session out', async () => {
    const answer = await answerBehind(async (_ctx, next) => {
      await next();
      throw new VestibuleError('storage.unavailable', 503);
    });
    expect([answer.status, await answer.text()]).toEqual([503, 'failed']);
    expect(answer.headers.get('location')).toBeNull();
    expect(answer.headers.getSetCookie()).toEqual([]);
  });
});
