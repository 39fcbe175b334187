import type { Context } from 'koa';
import type { ClientFile } from '../config/schema/client.ts';
import type { ProviderPages } from '../oidc/index.ts';
import type { PageWriter } from './page-writer.ts';

type ProviderContext = Parameters<ProviderPages['signedOut']>[0];

/** The pages the protocol endpoints end in, drawn like all others. */
export function createProviderPages(deps: {
  pages: PageWriter;
  clientFile(client: ProviderContext['oidc']['client']): ClientFile | undefined;
}): ProviderPages {
  const { pages, clientFile } = deps;
  const asked = (ctx: ProviderContext) => ({
    client: clientFile(ctx.oidc?.client),
    uiLocales: typeof ctx.oidc?.params?.ui_locales === 'string' ? ctx.oidc.params.ui_locales : undefined,
  });
  const koa = (ctx: ProviderContext): Context => ctx as unknown as Context;

  return {
    error(ctx, { code, status, values }) {
      ctx.status = status;
      pages.write(koa(ctx), 'error', { code, status, values, reference: ctx.state.requestId }, asked(ctx));
    },
    signOut(ctx, form) {
      const { client } = asked(ctx);
      pages.write(koa(ctx), 'sign-out', { ...form, ...(client ? { clientName: client.client_name } : {}) }, asked(ctx));
    },
    signedOut: (ctx) => pages.write(koa(ctx), 'signed-out', {}, asked(ctx)),
    stillSignedIn: (ctx) => pages.write(koa(ctx), 'still-signed-in', {}, asked(ctx)),
    deviceCode(ctx, { problem, ...form }) {
      if (problem) ctx.status = 400;
      pages.write(koa(ctx), 'device-code', { ...form, ...(problem ? { problem: { code: problem } } : {}) }, asked(ctx));
    },
    deviceConfirm(ctx, form) {
      const { client } = asked(ctx);
      pages.write(koa(ctx), 'device-confirm', { ...form, clientName: client?.client_name ?? '' }, asked(ctx));
    },
    deviceDone(ctx) {
      const { client } = asked(ctx);
      pages.write(koa(ctx), 'device-done', client ? { clientName: client.client_name } : {}, asked(ctx));
    },
  };
}
