import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { PageContext } from '../../../src/web/pages/index.ts';
import { BUILT_IN_VIEWS } from '../../../src/web/pages/templates.ts';
import { openHouse, renderSample, samples } from './fixtures.ts';

const house = openHouse();

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' autofocus onfocus='alert(1)",
  '</title></main><style>*{display:none}</style>',
  '<!--',
  '{{name}} $t(layout.help) <%= process.env %> ${1+1}',
  '\u2028</textarea>\0<svg/onload=alert(1)>',
];

/** Addresses that a page makes itself: assets, languages, the account area's parts, a file with recovery codes. */
const OURS =
  /^(?:$|\/assets\/|\?lang=|\/account\/(?:passkeys|password|two-factor|identities)$|data:text\/plain;charset=utf-8,[\w.!~*'()%-]*$)/;

/** Tags and attribute names without any text or value: what a browser would build. */
const skeleton = (html: string): string =>
  html
    .replaceAll(/="[^"]*"/g, '=""')
    .replaceAll(/>[^<]*/g, '>')
    .replaceAll(/\s+/g, ' ');

/** A context whose every text is `text`; addresses are where the portal may have put anything. */
function contextOf(text: string, address: string): PageContext {
  const { client, ...context } = house.context();
  if (!client) throw new Error('the sample portal is missing');
  return {
    ...context,
    requestId: text,
    client: {
      ...client,
      id: text,
      name: text,
      notice: text,
      supportContact: text,
      uri: address,
      policyUri: address,
      tosUri: address,
      helpUrl: address,
    },
  };
}

/** The model with all its addresses replaced, those in lists as well. */
const withAddresses = (value: unknown, address: string): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((inner) => withAddresses(inner, address));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      /action$|href$|^uri$|logoUrl$/i.test(key) ? address : withAddresses(inner, address),
    ]),
  );
};

describe('hostile strings', () => {
  test.each(HOSTILE)('%j stays text wherever it stands', (text) => {
    const plain = samples('plain');
    samples(text).forEach((sample, index) => {
      const html = renderSample(house, sample, contextOf(text, 'https://portal.example/'));
      const harmless = renderSample(
        house,
        plain[index] as (typeof plain)[number],
        contextOf('plain', 'https://portal.example/'),
      );
      expect(skeleton(html)).toBe(skeleton(harmless));
    });
  });

  test.each([
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    '//evil.example/',
    '/\\evil.example/',
    'vbscript:x',
    '" onclick="alert(1)',
  ])('%j is never an address of a page', (address) => {
    for (const sample of samples()) {
      const [page, model] = sample;
      const html = renderSample(
        house,
        [page, withAddresses(model, address)] as unknown as typeof sample,
        contextOf('Portal', address),
      );
      const targets = [...html.matchAll(/\s(?:href|action|src|data-options)="([^"]*)"/g)].map(
        ([, target]) => target ?? '',
      );
      expect(targets.filter((target) => !OURS.test(target))).toEqual([]);
    }
  });

  test('text for a template does not become a template: interpolation marks stay as they are', () => {
    const html = house.pages.render(
      'error',
      { code: 'unexpected', status: 400, reference: 'r', values: { error: '{{wait}} $t(layout.help)' } },
      house.context(),
    );
    expect(html).toContain('{{wait}} $t(layout.help)');
  });

  test('a model can’t reach the template’s own names or the compile options', () => {
    const model = {
      action: '/',
      optionsAction: '/options',
      csrf: 'x',
      settings: { 'view options': { outputFunctionName: 'x;process.exit();x' } },
      escapeFunction: 'x',
      t: () => 'taken over',
      page: {},
      partial: () => 'taken over',
      __proto__: { cancel: true },
    };
    const html = house.pages.render('identify', model, house.context());
    expect(html).not.toContain('taken over');
    expect(html).not.toContain('data-alternative');
  });
});

describe('templates', () => {
  const all = readdirSync(BUILT_IN_VIEWS, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ejs'))
    .map((path) => ({ path, source: readFileSync(join(BUILT_IN_VIEWS, path), 'utf8') }));
  // Mails are put together in their own way, and lead to addresses that were made for them.
  const isMail = ({ path }: { path: string }) => path.startsWith('mail');
  const templates = all.filter((template) => !isMail(template));

  test.each(all.filter(isMail))('$path writes unescaped only what a template has made', ({ source }) => {
    const unescaped = [...source.matchAll(/<%-\s*(.*?)\s*%>/gs)].map(([, code]) => code ?? '');
    for (const code of unescaped) expect(code).toMatch(/^content$|^button\(t\('[a-z_.]+'\), \w+\)$/);
  });

  test.each(templates)('$path writes unescaped only what a template has made', ({ source }) => {
    const unescaped = [...source.matchAll(/<%-\s*(.*?)\s*%>/gs)].map(([, code]) => code ?? '');
    for (const code of unescaped)
      expect(code).toMatch(/^partial\('partials\/[a-z/-]+'(?:, \{.*\})?\)$|^detail\.body$/s);
  });

  test.each(templates)('$path passes every address through link()', ({ source }) => {
    const addresses = [...source.matchAll(/\s(?:href|action|src|data-options)="<%=\s*(.*?)\s*%>"/g)].map(
      ([, code]) => code ?? '',
    );
    for (const code of addresses) {
      expect(code).toMatch(
        /^link\(|^(?:page\.(?:stylesheet|theme|favicon)|script|brand\.logo|retry|back|stronger|recovery|portal|model\.(?:setupHref|downloadHref))$/,
      );
    }
  });
});
