import { Html, html } from '../shared/html.ts';
import { CITIZENS, type Citizen, CLAIMS_BY_SCOPE } from './citizens.ts';
import { LEVELS, type Level, type Wish } from './levels.ts';
import { type Language, TEXTS } from './texts.ts';

/** No script at all, and no inline style: the policy forbids both. */
const layout = (
  language: Language,
  { step, heading, failed = false }: { step: string; heading: string; failed?: boolean },
  main: Html,
): Html => {
  const { title, demo, error } = TEXTS[language];
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${failed ? `${error}: ` : ''}${heading === title ? title : `${heading} – ${title}`}</title>
<link rel="icon" href="/logo.svg" type="image/svg+xml">
<link rel="stylesheet" href="/portals.css">
<link rel="stylesheet" href="/eid.css">
</head>
<body>
<header class="brand"><img src="/logo.svg" alt="" width="44" height="44"><span>${title}</span></header>
<main data-step="${step}">
<h1>${heading}</h1>
${main}
</main>
<footer><p>${demo}</p></footer>
</body>
</html>
`;
};

/** A sign-in under way, as its pages show it. */
export interface Errand {
  readonly language: Language;
  /** Address of its first page. */
  readonly address: string;
  /** Name of who asks. */
  readonly asks: string;
  readonly scopes: readonly string[];
  readonly wish: Wish;
}

const nameOf = ({ givenName, familyName }: Citizen): string => `${givenName} ${familyName}`;

const birthday = (language: Language, date: string): string =>
  new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, { dateStyle: 'long', timeZone: 'UTC' }).format(
    new Date(date),
  );

const numberOf = (language: Language, { nationalNumber }: Citizen): Html =>
  html`${TEXTS[language].number} <span class="number">${nationalNumber}</span>`;

const emailOf = (language: Language, { email }: Citizen): string => {
  const text = TEXTS[language];
  if (!email) return text.noEmail;
  return email.verified ? email.address : `${email.address} (${text.unconfirmed})`;
};

const cancelForm = ({ language, address }: Errand): Html => html`
<form method="post" action="${address}/cancel"><button class="button quiet" id="cancel">${TEXTS[language].cancel}</button></form>`;

const citizenRow = (errand: Errand, citizen: Citizen): Html => html`
<li><a id="citizen-${citizen.id}" href="${errand.address}/${citizen.id}">
<strong>${nameOf(citizen)}</strong>
<span>${numberOf(errand.language, citizen)}, ${TEXTS[errand.language].born} ${birthday(errand.language, citizen.birthdate)}</span>
<span>${emailOf(errand.language, citizen)}</span>
</a></li>`;

/** Where the person says who they are. */
export function chooserPage(errand: Errand): Html {
  const text = TEXTS[errand.language];
  return layout(
    errand.language,
    { step: 'choose', heading: text.choose },
    html`<p>${text.asks.replace('{name}', errand.asks)} ${text.invented}</p>
<ul class="citizens">${CITIZENS.map((citizen) => citizenRow(errand, citizen))}
</ul>
${cancelForm(errand)}`,
  );
}

const levelChoice = ({ language, wish }: Errand, level: Level, chosen: Level): Html => html`
<label for="level-${level}"><input type="radio" name="level" id="level-${level}" value="${level}" required${
  level === chosen ? new Html(' checked') : undefined
}> ${TEXTS[language][level]}${wish.least === level ? ` (${TEXTS[language].wanted})` : ''}</label>`;

/** Where they prove it, as strongly as they like. @param usual chosen unless they choose otherwise */
export function confirmPage(errand: Errand, citizen: Citizen, usual: Level): Html {
  const { language, address, asks, scopes } = errand;
  const text = TEXTS[language];
  const told = (Object.keys(CLAIMS_BY_SCOPE) as (keyof typeof CLAIMS_BY_SCOPE)[])
    .filter((scope) => scope !== 'openid')
    .filter((scope) => scopes.includes(scope));
  return layout(
    language,
    { step: 'confirm', heading: nameOf(citizen) },
    html`<p>${numberOf(language, citizen)}</p>
<form method="post" action="${address}/${citizen.id}">
<fieldset><legend>${text.how}</legend>${LEVELS.map((level) => levelChoice(errand, level, usual))}
</fieldset>
${told.length > 0 ? html`<p>${text.told.replace('{name}', asks)} ${told.map((scope) => text[scope]).join(', ')}.</p>` : undefined}
<div class="actions"><button class="button" id="confirm">${text.confirm}</button></div>
</form>
<p><a id="other" href="${address}">${text.other}</a></p>
${cancelForm(errand)}`,
  );
}

/** Who is signed in here. Signing out is told to whoever this eID signed the person in at. */
export function homePage(language: Language, citizen: Citizen | undefined): Html {
  const text = TEXTS[language];
  return layout(
    language,
    { step: 'home', heading: text.title },
    html`<p>${text.about}</p>
${
  citizen
    ? html`<p>${text.signedInAs.replace('{name}', nameOf(citizen))}</p>
<p><a class="button quiet" id="sign-out" href="/session/end">${text.signOut}</a></p>`
    : html`<p>${text.nobody}</p>`
}`,
  );
}

/** @param form the library's, which lacks its buttons */
export function signOutPage(language: Language, form: string): Html {
  const text = TEXTS[language];
  const buttons = html`<div class="actions">
<button class="button" id="confirm" name="logout" value="yes">${text.signOut}</button>
<button class="button quiet" id="cancel">${text.stay}</button>
</div></form>`;
  return layout(
    language,
    { step: 'sign-out', heading: text.askSignOut },
    new Html(form.replace('</form>', () => buttons.text)),
  );
}

export const signedOutPage = (language: Language): Html =>
  layout(language, { step: 'signed-out', heading: TEXTS[language].signedOut }, html``);

/** @param code what the protocol calls it, for whoever helps */
export const errorPage = (language: Language, code: string): Html =>
  layout(
    language,
    { step: 'error', heading: TEXTS[language].failed, failed: true },
    html`<p id="error" data-code="${code}">${TEXTS[language].again}</p>`,
  );
