import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import type { Config } from '../../../src/config/config.ts';
import { clientSchema } from '../../../src/config/schema/client.ts';
import { serverSchema } from '../../../src/config/schema/server.ts';
import { LANGUAGES, type Language } from '../../../src/config/schema/values.ts';
import { createTexts } from '../../../src/i18n/index.ts';
import {
  type Assets,
  createAssets,
  createPages,
  type PageContext,
  type PageModels,
  type PageName,
  type Pages,
} from '../../../src/web/pages/index.ts';

type Input<S extends { _zod: { input: unknown } }> = S['_zod']['input'];

/** A configuration as the loader would hand it over. */
export function configOf(
  server: Partial<Input<typeof serverSchema>> = {},
  clients: readonly Input<typeof clientSchema>[] = [],
  directory = '/nowhere',
): Config {
  const settings = serverSchema.parse({ issuer: 'http://localhost:3000', ...server });
  return {
    ...settings,
    directory,
    masterKeys: [],
    providers: [],
    clients: clients.map((client) => clientSchema.parse(client)),
  };
}

/** A folder of its own for one test file. */
export function workFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-pages-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const portal: Input<typeof clientSchema> = {
  client_id: 'mutuelle',
  client_name: 'Mutuelle Azur',
  client_uri: 'http://localhost:3001/mutuelle',
  policy_uri: 'https://azur.example/privacy',
  tos_uri: 'https://azur.example/terms',
  vestibule: {
    help_url: 'https://azur.example/help',
    support_contact: { en: 'Call 0800 123 456.', fr: 'Appelez le 0800 123 456.' },
    notice: { en: 'We never ask for your password by telephone.' },
    theme: { accent: '#0b6e99', background: '#e8f3f8', radius: 'large' },
  },
};

export interface House {
  readonly pages: Pages;
  readonly assets: Assets;
  context(language?: Language, clientId?: string): PageContext;
}

export function openHouse(config: Config = configOf({}, [portal]), overlay?: string): House {
  const assets = createAssets(config);
  const texts = createTexts({ overlay, defaultLanguage: config.languages.default });
  return {
    assets,
    // The hour that the samples are made for.
    pages: createPages({ overlay, texts, branding: config.branding, assets, clock: { now: () => 1_790_000_000_000 } }),
    context(language = 'en', clientId = config.clients[0]?.client_id) {
      const client = config.clients.find(({ client_id }) => client_id === clientId);
      return {
        language,
        requestId: 'request-1',
        client: client && assets.clientView(client, language),
        languages: LANGUAGES.map((offered) => ({ language: offered, href: `?lang=${offered}` })),
      };
    },
  };
}

type Sample = { [P in PageName]: readonly [page: P, model: PageModels[P]] }[PageName];

/** Of an external provider; no asset of the house. */
export const SAMPLE_LOGO = '/assets/0123/provider-itsme.svg';

/** Every page, with and without a problem; `text` stands wherever something from outside may stand. */
export const samples = (text = 'alice'): readonly Sample[] => {
  const form = { action: '/interaction/uid/step', csrf: text };
  const fields = { xsrf: text, [text]: text };
  const problem = { code: 'wrong_password', values: { name: text } };
  const passkeyForm = { ...form, optionsAction: '/interaction/uid/step/options' };
  const switchAction = '/interaction/uid/switch';
  const backHref = '/account/passkeys';
  const passkey = {
    name: text,
    provider: text,
    createdAt: 1_790_000_000,
    synced: true,
    renameHref: '/account/passkeys/1/rename',
    deleteHref: '/account/passkeys/1/delete',
  };
  const list = {
    username: text,
    canAdd: true,
    addHref: '/account/passkeys/add',
    signOutHref: '/account/sign-out',
    signals: { rpId: text, userId: text, acceptedIds: [text], name: text, displayName: text },
    passkeys: [],
  };
  const codeForm = { ...form, username: text, switchAction };
  const setup = { ...form, secret: text, uri: `otpauth://totp/${encodeURIComponent(text.toWellFormed())}?secret=ABCD` };
  const trusted = [{ id: text, name: text, createdAt: 1_790_000_000, expiresAt: 1_792_000_000 }];
  const twoFactor = {
    username: text,
    csrf: text,
    setUpHref: '/account/two-factor/set-up',
    codesAction: '/account/two-factor/codes',
    offHref: '/account/two-factor/off',
    signOutHref: '/account/sign-out',
    devices: [],
    devicesAction: '/account/two-factor/devices',
  };
  const recoveryHref = '/recovery?interaction=uid';
  const locked = { ...form, username: text, switchAction, until: 1_790_000_300, mails: true, recoveryHref };
  const externals = [
    { id: 'itsme', name: text, logoUrl: SAMPLE_LOGO },
    { id: text, name: text },
  ];
  const external = { ...form, externals, createAccounts: true } as const;
  const identities = { ...form, username: text, signOutHref: '/account/sign-out', identities: [], externals: [] };
  const identity = { provider: text, createdAt: 1_790_000_000, unlinkHref: '/account/identities/1/unlink' };
  const change = { ...form, username: text, minimum: 15, words: [text, 'alice@example.org'] };
  return [
    ['identify', { ...passkeyForm, cancel: true, recoveryHref }],
    ['identify', { ...passkeyForm, username: text, problem }],
    ['identify', { ...passkeyForm, linking: text, cancel: true, recoveryHref }],
    ['identify', { ...passkeyForm, externals, problem: { code: 'external_cancelled', values: { provider: text } } }],
    ['password', { ...form, username: text, switchAction, cancel: true, passkey: true, recoveryHref }],
    ['password', { ...form, username: text, switchAction, problem, oldBrowser: true }],
    ['password', { ...form, username: text, switchAction, externals, problem: { code: 'external_exists' } }],
    ['passkey', { ...passkeyForm, username: text, switchAction, cancel: true, passwordInstead: true }],
    ['passkey', { ...passkeyForm, username: text, switchAction, passwordInstead: false, problem }],
    ['passkey', { ...passkeyForm, username: text, switchAction, passwordInstead: true, externals }],
    ['locked', { ...locked, cancel: true, passkey: true, sent: false }],
    ['locked', { ...locked, sent: true, externals }],
    ['locked', { ...locked, sent: false, mails: false }],
    ['locked', { ...locked, sent: false, problem }],
    ['totp', { ...codeForm, cancel: true, ways: ['passkey', 'sms', 'recovery-code'] }],
    ['totp', { ...codeForm, ways: [], problem: { code: 'factor_blocked', wait: 300 } }],
    ['sms', { ...codeForm, cancel: true, ways: ['passkey', 'recovery-code'], ending: text }],
    ['sms', { ...codeForm, ways: [], ending: text, problem }],
    ['recovery-code', { ...codeForm, cancel: true, ways: ['totp'] }],
    ['recovery-code', { ...codeForm, ways: [], problem }],
    ['external', { ...external, mode: 'link', provider: text, label: text, cancel: true, recoveryHref }],
    ['external', { ...external, mode: 'link', provider: text, createAccounts: false, username: text, switchAction }],
    ['external', { ...external, mode: 'link', provider: text, problem }],
    ['external', { ...external, mode: 'unlinkable', provider: text, username: text, cancel: true }],
    ['external', { ...external, mode: 'step-up', username: text, switchAction, cancel: true }],
    ['external', { ...external, mode: 'step-up', problem }],
    ['enrol-totp', { ...setup, cancel: true }],
    ['enrol-totp', { ...setup, username: text, backHref: '/account/two-factor', problem }],
    ['enrol-totp', { ...setup, problem: { code: 'enrolment_expired' } }],
    ['recovery-codes', { ...form, codes: [text, 'AAAA1-BBBB1-CCCC1'], left: 2, few: true, cancel: true }],
    ['recovery-codes', { ...form, codes: [text], left: 1, few: true, problem }],
    ['recovery-codes', { ...form, codes: [], left: 2, few: true, backHref: '/account/two-factor' }],
    ['recovery-codes', { ...form, codes: [], left: 0, few: false }],
    ['offer-passkey', { ...passkeyForm, username: text, reason: 'first', automatic: false }],
    ['offer-passkey', { ...passkeyForm, username: text, reason: 'this-device', automatic: true }],
    ['offer-passkey', { ...passkeyForm, username: text, reason: 'first', automatic: false, problem }],
    [
      'consent',
      {
        ...form,
        username: text,
        scopes: ['openid', 'profile', 'offline_access', text],
        claims: ['birthdate', text],
        resources: [
          { indicator: text, scopes: [text] },
          { indicator: 'https://api.example', scopes: [] },
        ],
        offline: true,
      },
    ],
    ['error', { code: 'session_expired', status: 400, reference: text, retryHref: '/interaction/uid' }],
    [
      'error',
      { code: text, status: 400, reference: text, values: { error: text, error_description: text }, retryAfter: 90 },
    ],
    ['error', { code: 'link_superseded', status: 410, reference: text, retryHref: '/recovery/password' }],
    ['recovery', { forgotPasswordHref: '/recovery/password', forgotUsernameHref: '/recovery/username' }],
    [
      'recovery',
      {
        forgotPasswordHref: '/recovery/password?interaction=uid',
        forgotUsernameHref: '/recovery/username?interaction=uid',
        backHref: '/interaction/uid',
      },
    ],
    ['recovery-password', { ...form, backHref: '/recovery' }],
    ['recovery-password', { ...form, backHref: '/recovery', username: text, problem }],
    ['recovery-username', { ...form, backHref: '/recovery', mails: true }],
    ['recovery-username', { ...form, backHref: '/recovery', mails: true, email: text, problem }],
    ['recovery-username', { ...form, backHref: '/recovery', mails: false }],
    ['recovery-sent', { about: 'password', againHref: '/recovery/password' }],
    ['recovery-sent', { about: 'username', againHref: '/recovery/username' }],
    ['recovery-sent', { about: 'not_me', againHref: '/recovery/password' }],
    ['change-password', { ...change, current: false, signOutOthers: false }],
    ['change-password', { ...change, current: false, signOutOthers: false, problem, field: 'new_password' }],
    ['change-password', { ...change, current: true, signOutOthers: true, backHref: '/account', notice: 'changed' }],
    [
      'change-password',
      { ...change, current: true, signOutOthers: true, backHref: '/account', problem, field: 'current_password' },
    ],
    ['change-password', { ...change, current: false, signOutOthers: true, backHref: '/account', problem }],
    ['recovery-done', { portalHref: 'https://azur.example/' }],
    ['recovery-done', {}],
    ['not-me', { ...form, username: text }],
    ['sign-out', { action: '/session/end/confirm', fields, clientName: text }],
    ['signed-out', {}],
    ['still-signed-in', {}],
    ['device-code', { action: '/device', fields, userCode: text, problem: { code: text } }],
    ['device-confirm', { action: '/device', fields, userCode: text, clientName: text }],
    ['device-done', { clientName: text }],
    ['device-done', {}],
    ['account-passkeys', list],
    [
      'account-passkeys',
      {
        ...list,
        passkeys: [
          { ...passkey, lastUsedAt: 1_795_000_000 },
          { ...passkey, synced: false },
        ],
        notice: 'renamed',
        canAdd: false,
        needsStronger: true,
      },
    ],
    ['account-passkey-add', { ...passkeyForm, backHref }],
    ['account-passkey-add', { ...passkeyForm, backHref, problem }],
    ['account-passkey-name', { ...form, backHref, name: text, isNew: true }],
    ['account-passkey-name', { ...form, backHref, name: text, isNew: false, problem }],
    ['account-passkey-delete', { ...form, backHref, name: text, provider: text, lastOne: false }],
    ['account-passkey-delete', { ...form, backHref, name: text, provider: text, lastOne: true }],
    ['account-two-factor', { ...twoFactor, on: false, left: 0, few: false }],
    [
      'account-two-factor',
      { ...twoFactor, on: true, since: 1_790_000_000, left: 8, few: false, notice: 'on', devices: trusted },
    ],
    ['account-two-factor', { ...twoFactor, on: true, left: 1, few: true, notice: 'codes' }],
    ['account-two-factor-off', { ...form, backHref: '/account/two-factor' }],
    ['account-identities', identities],
    [
      'account-identities',
      {
        ...identities,
        identities: [{ ...identity, label: text, lastUsedAt: 1_795_000_000 }, identity],
        externals,
        notice: 'linked',
        needsStronger: true,
      },
    ],
    ['account-identities', { ...identities, externals, problem }],
    [
      'account-identity-unlink',
      { ...form, backHref: '/account/identities', provider: text, label: text, lastOne: false },
    ],
    ['account-identity-unlink', { ...form, backHref: '/account/identities', provider: text, lastOne: true }],
    ['account-refused', { backHref: '/account/identities', reason: 'last_identity' }],
    ['account-refused', { backHref: '/account/two-factor', reason: 'demanded' }],
    ['account-refused', { backHref, reason: 'last_way_in' }],
    ['account-refused', { backHref, reason: 'needs_stronger', retryHref: '/account/passkeys/confirm' }],
  ];
};

export const renderSample = (house: House, [page, model]: Sample, context: PageContext): string =>
  house.pages.render(page, model as PageModels[typeof page], context);
