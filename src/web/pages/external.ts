import type { Translate } from '../../i18n/index.ts';
import { formatDay } from './dates.ts';
import { safeLink } from './links.ts';
import type { ExternalWay, PageModels, Problem } from './models.ts';

/** What the button of an external provider holds; its text is what a press of it does. */
interface Button {
  readonly value: string;
  readonly logo: string;
  readonly text: string;
}

const buttonOf = ({ id, logoUrl }: ExternalWay, text: string): Button => ({
  value: `external:${id}`,
  // Served here, or not shown: no page loads anything from elsewhere.
  logo: logoUrl?.startsWith('/assets/') ? safeLink(logoUrl) : '',
  text,
});

const signInButtons = (ways: readonly ExternalWay[] | undefined, t: Translate): readonly Button[] =>
  (ways ?? []).map((way) => buttonOf(way, t('external.sign_in_with', { name: way.name })));

/** The buttons of a page that has a way of its own to sign in. */
export const describeElsewhere = (
  { externals, problem }: { externals?: readonly ExternalWay[] | undefined; problem?: Problem | undefined },
  t: Translate,
) => ({
  externals: signInButtons(externals, t),
  // What happened elsewhere is not the fault of the field here.
  wrong: problem !== undefined && !problem.code.startsWith('external_'),
});

/** What follows a sign-in at an external provider, or leads to one. */
export function describeExternal(model: PageModels['external'], name: string, t: Translate) {
  if (model.mode === 'step-up') {
    return {
      heading: t('external.step_up_heading'),
      extra: { text: t('external.step_up_text', { name }), externals: signInButtons(model.externals, t) },
    };
  }
  const { provider, label } = model;
  const values = label ? { provider, label } : { provider };
  if (model.mode === 'unlinkable') {
    return {
      heading: t('external.unlinkable_heading', values),
      extra: { text: t('external.unlinkable_text', values), next: t('external.unlinkable_next', values) },
    };
  }
  return {
    heading: t('external.link_heading', values),
    extra: {
      text: t(label ? 'external.link_text_named' : 'external.link_text', values),
      next: t(model.signedIn ? 'external.link_next_signed_in' : 'external.link_next', values),
    },
  };
}

const NOTICES = {
  linked: 'account_identities.linked',
  unlinked: 'account_identities.unlinked',
} as const;

export function describeIdentities(
  { notice, identities, externals }: PageModels['account-identities'],
  t: Translate,
  locale: string,
) {
  return {
    heading: t('account_identities.heading'),
    extra: {
      notice: notice && t(NOTICES[notice]),
      cards: identities.map(({ provider, label, createdAt, lastUsedAt, unlinkHref }) => ({
        provider,
        label,
        unlinkHref,
        created: formatDay(createdAt, locale),
        lastUsed: lastUsedAt === undefined ? undefined : formatDay(lastUsedAt, locale),
      })),
      externals: externals.map((way) => {
        const isLinked = identities.some(({ provider }) => provider === way.name);
        return buttonOf(
          way,
          t(isLinked ? 'account_identities.link_another' : 'account_identities.link', { name: way.name }),
        );
      }),
    },
  };
}

export function describeUnlinking({ provider, label }: PageModels['account-identity-unlink'], t: Translate) {
  return {
    heading: t('identity_unlink.heading', { provider }),
    extra: {
      about: label && t('identity_unlink.about', { provider, label }),
      after: t('identity_unlink.after', { provider }),
    },
  };
}
