import type { Config } from '../config/config.ts';
import { chooseLocale, type Texts } from '../i18n/index.ts';
import type { Account } from '../storage/ports.ts';

/** Hands a code to a telephone. @throws Error when the gateway did not take it */
export type SendCode = (account: Account, number: string, code: string) => Promise<void>;

/** Milliseconds. */
const TIMEOUT = 10_000;

/** @returns undefined where no gateway is configured */
export function createSmsSender({ sms, branding, languages }: Config, texts: Texts): SendCode | undefined {
  if (!sms) return undefined;
  return async ({ profile }, number, code) => {
    const { language, locale } = chooseLocale({ chosen: profile.locale }, languages.offered, languages.default);
    const text = texts.translator(language, locale)('sms.code', { code, brand: branding.name });
    const fields = Object.fromEntries(
      Object.entries(sms.body).map(([name, value]) => [
        name,
        value.replaceAll('{{to}}', () => number).replaceAll('{{text}}', () => text),
      ]),
    );
    const isJson = sms.encoding === 'json';
    const answer = await fetch(sms.url, {
      method: 'POST',
      headers: {
        ...sms.headers,
        'content-type': isJson ? 'application/json' : 'application/x-www-form-urlencoded',
      },
      body: isJson ? JSON.stringify(fields) : new URLSearchParams(fields).toString(),
      // The number and the code go where the operator said, and nowhere else.
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT),
    });
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`the SMS gateway answered ${answer.status}`);
  };
}
