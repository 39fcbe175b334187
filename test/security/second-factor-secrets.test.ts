import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Page } from '../support/page.ts';
import { clientFile, Portal } from '../support/portal.ts';
import {
  codeOf,
  crowd,
  keyOn,
  MFA,
  nextCode,
  RECOVERY_CODES,
  recoveryCodesOn,
  SECRET,
  sentenceOf,
} from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { csrfOn } from './support/account-area.ts';
import {
  APP,
  CODES,
  coded,
  HOME,
  interactionOf,
  isSignedInAt,
  passworded,
  RENEW,
  sendForm,
} from './support/second-factor.ts';
import { bytesOnDisk } from './support/storage.ts';

const mutuelle = clientFile('mutuelle');
const phones: Person[] = Array.from({ length: 10 }, (_, n) => ({
  username: `phone-${n}`,
  password: 'a-demo-password-of-some-length',
  profile: { phone_number: `+4179000020${n}`, phone_number_verified: true },
}));
const people = crowd(
  { plain: {}, app: { totp: { secret: SECRET, recoveryCodes: RECOVERY_CODES } }, demanded: { minimumAcr: MFA } },
  15,
);

const messages: { readonly to: string; readonly text: string }[] = [];
let gatewayWorks = true;
let gateway: Server;
let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  gateway = createServer(async (request, response) => {
    messages.push(JSON.parse(await text(request)));
    response.writeHead(gatewayWorks ? 202 : 500).end();
  });
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: [...people.everybody, ...phones],
    settings: {
      log: { level: 'trace' },
      sms: {
        url: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}/send`,
        headers: { authorization: '${env:SMS_TOKEN}' },
        per_day: 50,
      },
    },
    env: { SMS_TOKEN: 'Bearer canary-token-of-the-gateway' },
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(async () => {
  await vestibule?.stop();
  gateway?.close();
});
beforeEach(async () => {
  visitor = new Visitor(vestibule);
  gatewayWorks = true;
  await nextCode(vestibule);
});

const begin = (person: Person, by = visitor) => passworded(vestibule, portal, person, {}, by);
const codeTo = (person: Person, nth = -1): string =>
  /\b\d{6}\b/.exec(messages.filter(({ to }) => to === person.profile?.phone_number).at(nth)?.text ?? '')?.[0] ?? '';
const isIn = ({ page }: Visitor) => page.location?.searchParams.has('code') === true;

/** As they are, without their hyphens, and in other encodings. */
const disguises = (secret: string): string[] =>
  [secret, secret.replaceAll('-', '')].flatMap((each) => [
    each,
    each.toLowerCase(),
    Buffer.from(each).toString('base64').replace(/=+$/, ''),
    Buffer.from(each).toString('base64url'),
    Buffer.from(each).toString('hex'),
    // The seed as an app has it: bytes.
    ...(/^[A-Z2-7]{32}$/.test(each) ? [fromBase32(each).toString('latin1'), fromBase32(each).toString('hex')] : []),
  ]);
function fromBase32(secret: string): Buffer {
  const bits = [...secret].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  return Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
const found = (haystack: string, secrets: readonly string[]) =>
  secrets.filter((secret) => disguises(secret).some((disguise) => haystack.includes(disguise)));
const logged = () => vestibule.logs.map((line) => JSON.stringify(line)).join('\n') + vestibule.complaints;

describe('55 secret exposure', () => {
  test('seeds and recovery codes: not in the log, not on disk, not on a page once they are kept', async () => {
    const pages: Page[] = [];
    const secrets: string[] = [SECRET, ...RECOVERY_CODES];
    const collect = (page: Page) => {
      expect(page.headers['cache-control']).toContain('no-store');
      secrets.push(...[keyOn(page), ...recoveryCodesOn(page)].filter(Boolean));
    };
    const kept = async (by: Visitor, seen: Page) => {
      collect(seen);
      await by.submit({ code: await codeOf(vestibule, keyOn(seen)) });
      collect(by.page);
      expect(found((await bytesOnDisk(vestibule)).toString('latin1'), secrets)).toEqual([]);
      await by.submit({ kept: 'yes' });
      await nextCode(vestibule);
    };
    // In the journey, with a wrong code on the way, and in the account area; then replaced, and renewed.
    const inJourney = await begin(people.next('demanded'));
    await inJourney.submit({ code: '000000' });
    await kept(inJourney, inJourney.page);
    const inArea = await begin(people.next('plain'), new Visitor(vestibule));
    await kept(inArea, await inArea.visit(APP));
    const renewing = await coded(vestibule, portal, people.next('app'));
    collect(await renewing.visit(APP));
    await renewing.visit(HOME);
    await renewing.submit({}, { button: 'renew' });
    collect(renewing.page);
    await renewing.submit({ kept: 'yes' });
    for (const by of [inJourney, inArea, renewing])
      for (const path of [HOME, CODES, `${HOME}?done=codes`, '/account/passkeys']) pages.push(await by.visit(path));
    expect(pages.every(({ status }) => status === 200)).toBe(true);
    expect(secrets.length).toBeGreaterThan(40);
    expect(found(pages.map(({ body }) => body).join('\n'), secrets)).toEqual([]);
    for (const step of ['running', 'restarted']) {
      const disk = (await bytesOnDisk(vestibule)).toString('latin1');
      expect(disk).toContain(phones[0]?.username);
      expect([step, found(disk, secrets), disk.includes('otpauth:')]).toEqual([step, [], false]);
      if (step === 'running') await vestibule.restart();
    }
    expect(logged()).toContain('totp.added');
    expect(found(logged(), [...secrets, 'canary-token-of-the-gateway'])).toEqual([]);
  });

  test('codes that were typed, right or wrong, and codes by SMS: not in the log, not on disk', async () => {
    const typed = ['908172', await codeOf(vestibule), RECOVERY_CODES[3] ?? '', 'WRONG-C0DE0-THAT1'];
    const person = people.next('app');
    await begin(person);
    await visitor.submit({ code: typed[0] ?? '' });
    await visitor.choose('recovery-code');
    await visitor.submit({ recovery_code: typed[3] ?? '' });
    await visitor.submit({ recovery_code: typed[2] ?? '' });
    const other = await begin(people.next('app'), new Visitor(vestibule));
    await other.submit({ code: typed[1] ?? '' });
    const [phone, unreachable] = phones.splice(0, 2) as [Person, Person];
    const third = await begin(phone, new Visitor(vestibule));
    typed.push(codeTo(phone));
    await third.submit({ code: codeTo(phone) });
    gatewayWorks = false;
    const fourth = await begin(unreachable, new Visitor(vestibule));
    typed.push(codeTo(unreachable));
    expect([fourth.page.status, fourth.page.body.includes(codeTo(unreachable))]).toEqual([503, false]);
    await vestibule.logged('sms.failed');
    // Six digits stand in times and numbers by chance: as a value of their own, that is.
    const inQuotes = (code: string) => new RegExp(`[^0-9A-Za-z.]${code}[^0-9A-Za-z.]`);
    const disk = (await bytesOnDisk(vestibule)).toString('latin1').replace(/[^\x20-\x7e]/g, '\u0001');
    expect(typed.filter((code) => inQuotes(code).test(logged()))).toEqual([]);
    expect(typed.filter((code) => new RegExp(`["' ]${code}["' ]`).test(disk))).toEqual([]);
    for (const { profile } of [phone, unreachable]) expect(logged()).not.toContain(profile?.phone_number?.slice(1));
  });

  test('the list of one session is shown to no other, of the same person either', async () => {
    const person = people.next('app');
    const by = await coded(vestibule, portal, person);
    const second = await coded(vestibule, portal, person);
    await by.visit(HOME);
    await sendForm(by, RENEW, {});
    await by.visit(CODES);
    const codes = recoveryCodesOn(by.page);
    expect(codes).toHaveLength(10);
    await second.visit(CODES);
    expect([second.page.url.pathname, found(second.page.body, codes)]).toEqual([HOME, []]);
    // Nor to the next person in the same browser.
    await by.visit(await portal.authorizationUrl({ prompt: 'login' }));
    await by.choose('switch');
    await by.submit({ username: people.next('plain').username });
    await by.submit({ password: person.password });
    expect(isIn(by)).toBe(true);
    await by.visit(CODES);
    expect([by.page.url.pathname, found(by.page.body, codes)]).toEqual([HOME, []]);
  });
});

describe('10 SMS codes', () => {
  const next = () => phones.pop() as Person;

  test('one code, many forms at once: one sign-in; and it is used up', async () => {
    const person = next();
    await begin(person);
    const code = codeTo(person);
    const { page } = visitor;
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => sendForm(visitor, `${interactionOf(visitor)}/sms`, { code }, page)),
    );
    expect(answers.every(({ status }) => [303, 400].includes(status))).toBe(true);
    expect(new Set(answers.flatMap(({ location }) => location?.href ?? [])).size).toBe(1);
    visitor.cookies.clear('vestibule_session');
    await begin(person);
    if (codeTo(person) === code) return;
    await visitor.submit({ code });
    expect([visitor.page.status, isIn(visitor)]).toEqual([400, false]);
  });

  test('a code of another interaction, or of another person, is wrong', async () => {
    const [one, two] = [next(), next()];
    const earlier = await begin(one, new Visitor(vestibule));
    const code = codeTo(one);
    await begin(two, new Visitor(vestibule));
    const others = codeTo(two);
    await begin(one);
    for (const wrong of [code, others].filter((each) => each !== codeTo(one))) {
      await visitor.submit({ code: wrong });
      expect([visitor.page.status, visitor.page.error]).toEqual([400, expect.stringMatching(sentenceOf('sms_wrong'))]);
    }
    // Nor does a code follow whoever takes over the journey.
    await earlier.choose('switch');
    await earlier.submit({ username: two.username });
    await earlier.submit({ password: two.password });
    if (codeTo(two) !== code) await earlier.submit({ code });
    expect(isIn(earlier)).toBe(false);
    expect(await isSignedInAt(earlier, portal)).toBe(false);
  });

  test('a code is no good any more once an app has taken its place', async () => {
    const person = next();
    const thief = await begin(person, new Visitor(vestibule));
    const stolen = codeTo(person);
    await begin(person);
    await visitor.submit({ code: codeTo(person) });
    await visitor.visit(APP);
    await visitor.submit({ code: await codeOf(vestibule, keyOn(visitor.page)) });
    expect(visitor.page.step).toBe('recovery-codes');
    await thief.post(thief.page.forms[0]?.action ?? '', { _csrf: csrfOn(thief.page), code: stolen });
    expect(isIn(thief)).toBe(false);
    expect(await isSignedInAt(thief, portal)).toBe(false);
  });

  test('six wrong ones over several interactions block it', async () => {
    const person = next();
    for (let n = 0; n < 6; n += 1) {
      const by = await begin(person, new Visitor(vestibule));
      await by.submit({ code: codeTo(person) === '000000' ? '111111' : '000000' });
      expect(by.page.error).toMatch(sentenceOf('sms_wrong'));
    }
    await begin(person);
    await visitor.submit({ code: codeTo(person) });
    expect([visitor.page.status, isIn(visitor)]).toEqual([400, false]);
    expect(visitor.page.error).toMatch(sentenceOf('factor_blocked'));
  });
});
