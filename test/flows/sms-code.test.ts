import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import {
  codeOf,
  crowd,
  keyOn,
  MFA,
  nextCode,
  passPassword,
  SFA,
  sentenceOf,
  withApp,
} from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { errorAt } from './arrange.ts';

const PER_DAY = 3;
const MINUTE = 60;
const DAY = 86_400;

interface Message {
  readonly to: string;
  readonly text: string;
}

const phone = (phone_number: string, phone_number_verified = true) => ({
  profile: { phone_number, phone_number_verified },
});
/** Everybody has a number of their own: messages are counted by number. */
const numbers = Array.from({ length: 20 }, (_, n) => `+417900001${String(n).padStart(2, '0')}`);
const people = crowd({
  unconfirmed: phone('+41790000999', false),
  app: { ...phone('+41790000888'), ...withApp },
  none: {},
});
const withNumbers: Person[] = numbers.map((number, n) => ({
  username: `phone-${n}`,
  password: 'a-demo-password-of-some-length',
  ...phone(number),
}));

const mutuelle = clientFile('mutuelle');
const messages: (Message & { readonly authorization: string | undefined })[] = [];
let gatewayWorks = true;
let gateway: Server;
let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;
let taken = 0;
let person: Person;
let number: string;

beforeAll(async () => {
  gateway = createServer(async (request, response) => {
    const message = JSON.parse(await text(request)) as Message;
    if (gatewayWorks) messages.push({ ...message, authorization: request.headers.authorization });
    response.writeHead(gatewayWorks ? 202 : 500).end();
  });
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  const { port } = gateway.address() as AddressInfo;
  vestibule = await startVestibule({
    settings: {
      sms: {
        url: `http://127.0.0.1:${port}/send`,
        headers: { authorization: '${env:SMS_TOKEN}' },
        per_day: PER_DAY,
      },
    },
    env: { SMS_TOKEN: 'Bearer a-token-of-the-gateway' },
    clients: [mutuelle],
    people: [...people.everybody, ...withNumbers],
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(async () => {
  await vestibule.stop();
  gateway.close();
});
beforeEach(() => {
  gatewayWorks = true;
  visitor = new Visitor(vestibule);
  person = withNumbers[taken] ?? people.next('none');
  number = numbers[taken] ?? '';
  taken += 1;
});

async function begin(somebody = person, by = visitor): Promise<void> {
  await by.visit(await portal.authorizationUrl());
  await passPassword(by, somebody);
}
const sent = (to = number) => messages.filter((message) => message.to === to);
const codeIn = (message: Message | undefined): string => /\b\d{6}\b/.exec(message?.text ?? '')?.[0] ?? 'none';
const give = (code: string, by = visitor) => by.submit({ code });
const otherThan = (code: string) => (code === '123456' ? '654321' : '123456');
const expectRefused = (problem: string) => {
  expect([visitor.page.status, visitor.page.step]).toEqual([400, 'sms']);
  expect(visitor.page.error).toMatch(sentenceOf(problem));
};

test('a code is sent after the password, once, and signs in', async () => {
  await begin();
  expect(visitor.page.step).toBe('sms');
  await visitor.visit(visitor.page.url);
  await visitor.visit(visitor.page.url);
  expect(sent()).toHaveLength(1);
  expect(sent()[0]?.authorization).toBe('Bearer a-token-of-the-gateway');
  await give(codeIn(sent()[0]));
  expect((await portal.exchange(visitor.left)).claims()).toMatchObject({ amr: ['pwd', 'sms', 'mfa'], acr: MFA });
});

test('the page shows the last two digits of the number and no more', async () => {
  await begin();
  expect(visitor.page.text).toContain(`ending in ${number.slice(-2)}`);
  expect(visitor.page.body).not.toContain(number.slice(1, -2));
  expect(visitor.page.text).not.toContain(number.slice(-3));
});

test('neither code nor number is in the log', async () => {
  await begin();
  const code = codeIn(sent()[0]);
  await give(otherThan(code));
  await give(code);
  const logged = JSON.stringify(vestibule.logs);
  expect(logged).not.toContain(number.slice(1));
  expect(logged).not.toContain(`"${code}"`);
});

test('nothing is sent before the password is right', async () => {
  await visitor.visit(await portal.authorizationUrl());
  await visitor.submit({ username: person.username });
  await visitor.submit({ password: 'something-else-altogether' });
  expect([visitor.page.step, sent()]).toEqual(['password', []]);
});

describe('another code', () => {
  test('is sent when asked for, but not at once; the one before is dead', async () => {
    await begin();
    await visitor.choose('again');
    expect(sent()).toHaveLength(1);
    await vestibule.advanceClock(31);
    await visitor.choose('again');
    expect([visitor.page.step, sent().length]).toEqual(['sms', 2]);
    const [first, second] = sent().map(codeIn);
    if (first !== second) {
      await give(first ?? '');
      expectRefused('sms_wrong');
    }
    await give(second ?? '');
    expect(errorAt(visitor.left)).toBeNull();
  });

  test('is sent so many times a day to a number, and not once more', async () => {
    for (let count = 0; count < PER_DAY; count += 1) {
      await begin(person, new Visitor(vestibule));
      await vestibule.advanceClock(31);
    }
    expect(sent()).toHaveLength(PER_DAY);
    await begin();
    expect(visitor.page.status).toBe(429);
    expect(visitor.page.heading).toContain('No more codes by SMS');
    expect(sent()).toHaveLength(PER_DAY);
    await vestibule.advanceClock(DAY);
    await begin(person, new Visitor(vestibule));
    expect(sent()).toHaveLength(PER_DAY + 1);
  });
});

describe('a code', () => {
  test.each([
    ['nothing', '', 'totp_required'],
    ['letters', 'abcdef', 'totp_malformed'],
    ['seven digits', '1234567', 'totp_malformed'],
  ])('is asked for again after %s', async (_what, typed, problem) => {
    await begin();
    await give(typed);
    expectRefused(problem);
  });

  test('is accepted with spaces and in full-width digits', async () => {
    await begin();
    const code = codeIn(sent()[0]).replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)));
    await give(` ${code.slice(0, 3)} ${code.slice(3)}`);
    expect(errorAt(visitor.left)).toBeNull();
  });

  test('can be tried five times; then another one is needed', async () => {
    await begin();
    const code = codeIn(sent()[0]);
    for (let tries = 0; tries < 5; tries += 1) {
      await give(otherThan(code));
      expectRefused('sms_wrong');
    }
    await give(code);
    expect([visitor.page.status, visitor.page.step]).toEqual([400, 'sms']);
    // Wrong ones are also counted for the account: a new code is no way around the pause.
    await vestibule.advanceClock(MINUTE + 1);
    await visitor.choose('again');
    await give(codeIn(sent()[1]));
    expect(errorAt(visitor.left)).toBeNull();
  });

  test('runs out after five minutes', async () => {
    await begin();
    const code = codeIn(sent()[0]);
    await vestibule.advanceClock(5 * MINUTE + 1);
    await give(code);
    expectRefused('sms_expired');
    // As the sentence says: another one comes when it is asked for.
    expect(sent()).toHaveLength(1);
    await visitor.choose('again');
    await give(codeIn(sent()[1]));
    expect(errorAt(visitor.left)).toBeNull();
  });

  test('works once, and for the sign-in it was sent for only', async () => {
    await begin();
    const code = codeIn(sent()[0]);
    const other = new Visitor(vestibule);
    await begin(person, other);
    if (codeIn(sent()[1]) !== code) {
      await give(code, other);
      expect(other.page.error).toMatch(sentenceOf('sms_wrong'));
    }
    const { url, forms } = visitor.page;
    const _csrf = forms[0]?.fields.find(({ name }) => name === '_csrf')?.value ?? '';
    const body = new URLSearchParams({ _csrf, code }).toString();
    const { origin } = url;
    const answers = await Promise.all([1, 2, 3].map(() => visitor.request('POST', url, body, { origin })));
    expect(answers.filter(({ status }) => status === 303).length).toBeGreaterThanOrEqual(1);
    expect(answers.every(({ status }) => [303, 400].includes(status))).toBe(true);
  });
});

test('a gateway that fails is said in a sentence; the next visit tries again', async () => {
  gatewayWorks = false;
  await begin();
  expect(visitor.page.status).toBe(503);
  expect(visitor.page.heading).toContain('could not be sent');
  gatewayWorks = true;
  await visitor.visit(visitor.page.url);
  expect([visitor.page.step, sent().length]).toEqual(['sms', 1]);
  await give(codeIn(sent()[0]));
  expect(errorAt(visitor.left)).toBeNull();
});

describe('no message goes', () => {
  test('to a number that is not confirmed: the password is enough, as for who has none', async () => {
    for (const kind of ['unconfirmed', 'none'] as const) {
      const by = new Visitor(vestibule);
      await begin(people.next(kind), by);
      expect((await portal.exchange(by.left)).claims()).toMatchObject({ amr: ['pwd'], acr: SFA });
    }
    expect(sent('+41790000999')).toEqual([]);
  });

  test('once an app is active', async () => {
    await begin(people.next('app'));
    expect([visitor.page.step, visitor.page.alternatives.has('sms')]).toEqual(['totp', false]);
    expect(sent('+41790000888')).toEqual([]);
  });

  test('from the moment an app is set up; that takes a code by SMS first', async () => {
    await begin();
    await give(codeIn(sent()[0]));
    await visitor.visit('/account/two-factor/app');
    await nextCode(vestibule);
    await visitor.submit({ code: await codeOf(vestibule, keyOn(visitor.page)) });
    expect(visitor.page.step).toBe('recovery-codes');
    const other = new Visitor(vestibule);
    await begin(person, other);
    expect([other.page.step, sent().length]).toEqual(['totp', 1]);
  });
});
