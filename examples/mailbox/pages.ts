import { Html, html } from '../shared/html.ts';
import type { Mail, Sms } from './messages.ts';

/**
 * For a mail's own HTML, shown in a frame: an opaque origin, no script, no forms, nothing fetched
 * from elsewhere. Mails style themselves inline, hence `unsafe-inline` for styles, here alone.
 */
export const INERT_POLICY: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'",
};

const when = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const time = (date: string): Html => html`<time datetime="${date}">${when.format(new Date(date))}</time>`;

const layout = (title: string, body: Html): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/mailbox.css">
</head>
<body>
${body}
</body>
</html>
`;

/** Addresses in a mail's text can be followed; the text stays text. */
const withLinks = (text: string): Html[] =>
  text
    .split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]])/)
    .map((part, index) => (index % 2 === 1 ? html`<a href="${part}" rel="noreferrer">${part}</a>` : html`${part}`));

const subjectOf = (mail: Mail): string => mail.subject || '(no subject)';
const about = ({ to, date }: Mail | Sms): Html => html`<span class="about">to ${to}, ${time(date)}</span>`;

const mailRow = (mail: Mail): Html => html`
<li><a href="/mails/${mail.id}">${subjectOf(mail)}</a> ${about(mail)}</li>`;

const smsRow = (sms: Sms): Html => html`
<li><span class="text">${sms.text}</span> ${about(sms)}</li>`;

export const mailboxPage = (mails: readonly Mail[], texts: readonly Sms[]): Html =>
  layout(
    `Demo mailbox (${mails.length + texts.length})`,
    html`<main>
<h1>Demo mailbox</h1>
<p>Every mail and text message of the demo ends here. <a href="/">Look again</a></p>
<h2>Mails</h2>
${
  mails.length === 0
    ? html`<p class="empty">No mail yet. It shows up here as soon as Vestibule sends one.</p>`
    : html`<ul id="mails">
${mails.map(mailRow)}
</ul>`
}
<h2>Text messages</h2>
${
  texts.length === 0
    ? html`<p class="empty">No text message yet.</p>`
    : html`<ul id="sms">
${texts.map(smsRow)}
</ul>`
}
</main>`,
  );

export const mailPage = (mail: Mail): Html =>
  layout(
    subjectOf(mail),
    html`<main>
<p><a href="/">Demo mailbox</a></p>
<h1>${subjectOf(mail)}</h1>
<p>${about(mail)}</p>
<div id="text" class="text">${withLinks(mail.text)}</div>
${
  mail.html
    ? html`<h2>As HTML</h2>
<p class="about">Shown without script, and its links lead nowhere. Use those of the text above.</p>
<iframe sandbox="" src="/mails/${mail.id}/html" title="The mail as HTML"></iframe>`
    : undefined
}
</main>`,
  );

/** Not escaped: it is only ever sent under `INERT_POLICY`. */
export const mailHtml = (mail: Mail): Html => new Html(mail.html);

export const notFoundPage = (): Html =>
  layout(
    'Not found',
    html`<main><h1>Not found</h1><p>There is no such mail here. It may have been pushed out by newer ones.</p><p><a href="/">Demo mailbox</a></p></main>`,
  );
