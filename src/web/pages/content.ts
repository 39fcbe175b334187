import { formatList, formatWait, type Texts, type Translate } from '../../i18n/index.ts';
import { formatDay } from './dates.ts';
import type { PageModels, Problem } from './models.ts';

/** The sentence of a problem; one without a text of its own gets the general sentence. */
export function formatProblem({ code, values, wait }: Problem, texts: Texts, t: Translate, locale: string): string {
  const key = `problems.${code}`;
  if (!texts.has(key)) return t('problems.unexpected');
  return t(key, wait === undefined ? values : { ...values, wait: formatWait(wait, locale) });
}

/** Where a code has no text of its own, the status says enough. */
const FALLBACK_BY_STATUS: Readonly<Record<number, string>> = {
  400: 'bad_request',
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'too_large',
  415: 'unsupported_media',
  429: 'too_many_requests',
  503: 'busy',
};

const DEFAULT_WAIT = 60;

/** Opening such a link once more leads to the same page: only a new one helps. */
const DEAD_LINKS: ReadonlySet<string> = new Set(['link_invalid', 'link_used', 'link_expired', 'link_superseded']);

export interface ErrorContent {
  readonly title: string;
  readonly text: string;
  /** For the administrators of the portal; only where OAuth gave a code. */
  readonly administrators: string | undefined;
  /** What the button that leads on is called. */
  readonly retry: string;
}

/** What decides the words of an error page. */
export type ErrorKind = Omit<PageModels['error'], 'reference' | 'retryHref'>;

export function describeError(model: ErrorKind, texts: Texts, t: Translate, locale: string): ErrorContent {
  const { error, error_description: description } = model.values ?? {};
  const candidates = [model.code, ...(error ? ['invalid_request'] : []), FALLBACK_BY_STATUS[model.status]];
  const code = candidates.find((candidate) => candidate && texts.has(`errors.${candidate}.title`)) ?? 'unexpected';
  const values = { ...model.values, wait: formatWait(model.retryAfter ?? DEFAULT_WAIT, locale) };
  return {
    title: t(`errors.${code}.title`, values),
    text: t(`errors.${code}.text`, values),
    administrators: error
      ? t('error_page.administrators', { error: [error, description].filter(Boolean).join(' – ') })
      : undefined,
    retry: t(DEAD_LINKS.has(code) ? 'error_page.new_link' : 'error_page.retry'),
  };
}

/** What a portal asks for, a line each, in people's words; what has no words is shown by name. */
export function consentItems(
  model: PageModels['consent'],
  texts: Texts,
  t: Translate,
  locale: string,
): readonly string[] {
  const asksOffline = model.offline || model.scopes.includes('offline_access');
  const { confirmed = [] } = model;
  const asClaims = confirmed.length > 0 ? ['offline_access', 'eid'] : ['offline_access'];
  const scopes = model.scopes
    .filter((scope) => !asClaims.includes(scope))
    .map((scope) =>
      texts.has(`consent.scopes.${scope}`) ? t(`consent.scopes.${scope}`) : t('consent.scope', { scope }),
    );
  const named = (claim: string): string => (texts.has(`consent.claim.${claim}`) ? t(`consent.claim.${claim}`) : claim);
  const list = (claims: readonly string[]): string => formatList(claims.map(named), locale);
  const claims = model.claims.filter((claim) => !confirmed.includes(claim));
  const resources = model.resources.map(({ indicator, scopes: granted }) =>
    granted.length === 0
      ? t('consent.resource', { resource: indicator })
      : t('consent.resource_scopes', { resource: indicator, list: formatList(granted, locale) }),
  );
  return [
    ...scopes,
    ...(confirmed.length > 0 ? [t('consent.confirmed', { list: list(confirmed) })] : []),
    ...(claims.length > 0 ? [t('consent.claims', { list: list(claims) })] : []),
    ...resources,
    ...(asksOffline ? [t('consent.scopes.offline_access')] : []),
  ];
}

const NOTICES = {
  added: 'account_passkeys.added',
  renamed: 'account_passkeys.renamed',
  deleted: 'account_passkeys.deleted',
} as const;

/** The list of passkeys: what a card shows and no more, with dates as the language writes them. */
export function describePasskeys(model: PageModels['account-passkeys'], t: Translate, locale: string) {
  const { notice, signals } = model;
  return {
    notice: notice && t(NOTICES[notice]),
    cards: model.passkeys.map(({ name, provider, synced, renameHref, deleteHref, ...times }) => ({
      name,
      provider,
      synced,
      renameHref,
      deleteHref,
      created: formatDay(times.createdAt, locale),
      lastUsed: times.lastUsedAt === undefined ? undefined : formatDay(times.lastUsedAt, locale),
    })),
    signals: signals && {
      rpId: signals.rpId,
      userId: signals.userId,
      accepted: JSON.stringify(signals.acceptedIds),
      name: signals.name,
      displayName: signals.displayName,
    },
  };
}
