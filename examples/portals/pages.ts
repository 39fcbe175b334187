import { type Html, html } from '../shared/html.ts';
import type { Document } from './documents-api.ts';
import type { Language, Portal } from './portals.ts';
import type { Person } from './relying-party.ts';
import { LANGUAGE_NAMES, type Message, TEXTS } from './texts.ts';

/** No inline style or script anywhere, so that the policy can forbid both. */
const layout = (parts: { language: Language; title: string; portal?: Portal; body: Html }): Html => html`<!doctype html>
<html lang="${parts.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${parts.title}</title>
<link rel="icon" href="/logos/${parts.portal?.path ?? 'vestibule'}.svg" type="image/svg+xml">
<link rel="stylesheet" href="/portals.css">
${parts.portal ? html`<link rel="stylesheet" href="/${parts.portal.path}/accent.css">` : undefined}
</head>
<body>
${parts.body}
</body>
</html>
`;

const brand = (logo: string, name: string): Html => html`
<header class="brand"><img src="/logos/${logo}.svg" alt="" width="44" height="44"><span>${name}</span></header>`;

const message = (text: (typeof TEXTS)[Language], shown: Message | undefined): Html | undefined => {
  if (!shown) return undefined;
  if (shown.kind === 'notice') return html`<p class="message" id="notice" role="status">${text[shown.key]}</p>`;
  return html`<p class="message error" id="error" role="alert" data-code="${shown.code ?? shown.key}">${text[shown.key]}</p>`;
};

const signedOutView = (portal: Portal, language: Language): Html => html`
<h1>${TEXTS[language].welcome}</h1>
<p>${portal.about[language]}</p>
<p><a class="button" id="sign-in" href="/${portal.path}/sign-in">${TEXTS[language].signIn}</a></p>`;

const signedInView = (portal: Portal, language: Language, person: Person): Html => {
  const text = TEXTS[language];
  return html`
<h1 id="greeting">${text.hello}, ${person.name}</h1>
<p>${portal.assurance ? text.stepUpEidHint : text.stepUpHint}</p>
<div class="actions">
<a class="button" id="step-up" href="/${portal.path}/step-up">${portal.assurance ? text.stepUpEid : text.stepUp}</a>
<a class="button quiet" id="documents" href="/${portal.path}/documents">${text.documents}</a>
<form method="post" action="/${portal.path}/sign-out"><button class="button quiet" id="sign-out">${text.signOut}</button></form>
</div>
<h2>${text.claims}</h2>
<p>${text.claimsHint}</p>
<pre id="claims" tabindex="0">${JSON.stringify(person.claims, null, 2)}</pre>`;
};

const languageItem = (path: string, language: Language, current: Language): Html => {
  const name = LANGUAGE_NAMES[language];
  return language === current
    ? html`<li><span aria-current="true">${name}</span></li>`
    : html`<li><a href="/${path}?lang=${language}" lang="${language}" hreflang="${language}">${name}</a></li>`;
};

/** @param path of the page it stands on */
const languageSwitch = (portal: Portal, path: string, current: Language): Html => html`
<nav aria-label="${TEXTS[current].language}"><ul>
${portal.languages.map((language) => languageItem(path, language, current))}
</ul></nav>`;

interface View {
  readonly portal: Portal;
  readonly language: Language;
  readonly message?: Message | undefined;
}

const portalLayout = ({ portal, language, message }: View, path: string, heading: string, main: Html): Html => {
  const text = TEXTS[language];
  return layout({
    language,
    portal,
    title: `${message?.kind === 'error' ? `${text.error}: ` : ''}${heading}`,
    body: html`${brand(portal.path, portal.name)}
<main>
${main}
</main>
<footer>${languageSwitch(portal, path, language)}<p><a href="/">${text.all}</a></p></footer>`,
  });
};

/** A portal's first page. */
export function portalPage(view: View & { readonly person?: Person | undefined }): Html {
  const { portal, language, person } = view;
  const main = html`${message(TEXTS[language], view.message)}
${person ? signedInView(portal, language, person) : signedOutView(portal, language)}`;
  return portalLayout(view, portal.path, portal.name, main);
}

const documentItem = (language: Language, { kind, date }: Document): Html => html`
<li><strong>${TEXTS[language][kind]}</strong> <time datetime="${date}">${day(language, date)}</time></li>`;

const day = (language: Language, date: string): string =>
  new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(date));

/** What the portal's API gave, or why it gave nothing. */
export function documentsPage(view: View & { readonly documents?: readonly Document[] }): Html {
  const { portal, language, documents } = view;
  const text = TEXTS[language];
  const path = `${portal.path}/documents`;
  const main = html`<h1>${text.documents}</h1>
${message(text, view.message)}
<p>${portal.assurance ? text.documentsEidHint : text.documentsHint}</p>
${
  documents
    ? html`<ul class="documents" id="documents-list">${documents.map((document) => documentItem(language, document))}
</ul>`
    : html`<p><a class="button" id="retry" href="/${path}">${text.retry}</a></p>`
}
<p><a id="back" href="/${portal.path}">${text.back}</a></p>`;
  return portalLayout(view, path, `${text.documents} – ${portal.name}`, main);
}

const portalRow = ({ path, name, languages, about }: Portal): Html => {
  const language = languages.find((spoken) => spoken === 'en') ?? languages[0];
  return html`
<li><a href="/${path}">
<img src="/logos/${path}.svg" alt="" width="44" height="44">
<span><strong>${name}</strong> <span lang="${language}">${about[language]}</span></span>
</a></li>`;
};

/** The list of portals, in English. */
export const indexPage = (portals: readonly Portal[], issuer: string): Html =>
  layout({
    language: 'en',
    title: 'Demo portals',
    body: html`${brand('vestibule', 'Demo portals')}
<main>
<h1>Choose a portal</h1>
<p>Each of them leaves signing in to Vestibule at ${issuer}. Signed in at one, you reach the others without signing in again; sign out of one, and the others hear of it.</p>
<ul class="portals">
${portals.map(portalRow)}
</ul>
</main>`,
  });

/** What is shown when something broke, or nothing is there. */
export const plainPage = (title: string, sentence: string): Html =>
  layout({
    language: 'en',
    title,
    body: html`<main><h1>${title}</h1><p>${sentence}</p><p><a href="/">All demo portals</a></p></main>`,
  });
