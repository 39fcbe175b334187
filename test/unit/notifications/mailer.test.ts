import { afterEach, expect, test } from '@jest/globals';
import { simpleParser } from 'mailparser';
import { createMailer } from '../../../src/notifications/index.ts';
import { accountOf, configOf, lettersOf, mailSettings } from './fixtures.ts';
import { type Sink, startSink } from './smtp-sink.ts';

let sink: Sink | undefined;
afterEach(() => sink?.close());

async function sent(settings: Record<string, unknown>, mail: Record<string, string>) {
  sink = await startSink();
  const mailer = createMailer(configOf({ ...mailSettings(sink.port), ...settings }));
  await mailer?.send({ to: 'anna@example.org', subject: 's', text: 't', html: '<p>h</p>', ...mail }, 'entry-id');
  await mailer?.close();
  const [raw = ''] = sink.taken;
  return { raw, head: raw.slice(0, raw.indexOf('\r\n\r\n')), mail: await simpleParser(raw) };
}

test('without a mail server there is no mailer', () => {
  expect(createMailer(configOf())).toBeUndefined();
});

test('a mail says who wrote it, that a machine did, and what it is known by', async () => {
  const { head, mail } = await sent({}, { from: 'Portail « Azur »', subject: 'Grüße', text: 'Grüße\n' });
  expect(mail.from?.value).toEqual([{ name: 'Portail « Azur »', address: 'no-reply@azur.example' }]);
  expect(mail.messageId).toBe('<entry-id@login.example.org>');
  expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
  expect([mail.subject, mail.text]).toEqual(['Grüße', 'Grüße\n']);
  expect(head).toMatch(/^Date: /m);
  expect(sink?.recipients).toEqual(['anna@example.org']);
});

test('the operator’s name stands where a portal’s does not', async () => {
  const { mail } = await sent({}, {});
  expect(mail.from?.value[0]?.name).toBe('Mutuelle Azur');
});

test.each(['Evil\r\nBcc: eve@evil.example', 'Evil\nX-Own: 1', '"Evil" <eve@evil.example>,', 'a\u0000b\rc'])(
  'a name of %j adds no header and no address',
  async (name) => {
    const { head, mail } = await sent({ branding: { name } }, { subject: name });
    expect(head).not.toMatch(/^(?:Bcc|X-Own):/im);
    expect(mail.from?.value.map(({ address }) => address)).toEqual(['no-reply@azur.example']);
    expect(sink?.recipients).toEqual(['anna@example.org']);
  },
);

test('a letter arrives as it was written: links whole, both forms', async () => {
  const link = `https://login.example.org/recovery/password/new?token=${'x'.repeat(43)}&interaction=${'y'.repeat(30)}`;
  const letters = lettersOf(configOf());
  const letter = letters.recovery(accountOf({ profile: { name: 'Zoë', locale: 'fr' } }), { link, minutes: 30 });
  const { mail } = await sent({}, { ...letter } as unknown as Record<string, string>);
  expect(mail.text).toBe(letter.text);
  expect(mail.html).toBe(letter.html);
  expect(mail.subject).toBe(letter.subject);
});
