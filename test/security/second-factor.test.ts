import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { PasskeyBrowser } from '../support/passkeys.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { codeOf, crowd, keyOn, MFA, nextCode, RECOVERY_CODES, SECRET, SFA } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import {
  addPasskey,
  claimsAt,
  coded,
  factorsOf,
  interactionOf,
  isSignedInAt,
  passworded,
  sendForm,
} from './support/second-factor.ts';
import { changeAccount } from './support/storage.ts';

const LATER = ['totp', 'sms', 'recovery-code', 'enrol-totp', 'recovery-codes'];

const mutuelle = clientFile('mutuelle');
const people = crowd(
  {
    plain: {},
    app: { totp: { secret: SECRET, recoveryCodes: RECOVERY_CODES } },
    demanded: { minimumAcr: MFA },
  },
  30,
);

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: people.everybody,
    settings: { limits: { lockout: { tries: 1000 }, address: { count: 10_000 } } },
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule?.stop());
beforeEach(async () => {
  visitor = new Visitor(vestibule);
  await nextCode(vestibule);
});

const begin = (person: Person, parameters = {}) => passworded(vestibule, portal, person, parameters, visitor);
const isSignedIn = (by = visitor) => isSignedInAt(by, portal);

describe('1 step skipping', () => {
  /** What an attacker might write into the form of a step. */
  const FORMS = [{}, { code: '' }, { recovery_code: '' }, { kept: 'yes' }, { renew: 'yes' }, { trust: 'yes' }];

  const STANDS: readonly (readonly [string, string, () => Promise<unknown>])[] = [
    ['before the name', 'identify', async () => visitor.visit(await portal.authorizationUrl())],
    [
      'before the password',
      'password',
      async () => {
        await visitor.visit(await portal.authorizationUrl());
        await visitor.submit({ username: people.next('app').username });
      },
    ],
    ['before the code', 'totp', () => begin(people.next('app'))],
    ['before the app is set up', 'enrol-totp', () => begin(people.next('demanded'))],
  ];
  test.each(STANDS)('later steps sent %s prove nothing and change nothing', async (_when, due, stand) => {
    await stand();
    expect(visitor.page.step).toBe(due);
    const { page } = visitor;
    const interaction = interactionOf(visitor);
    for (const step of [...LATER, 'offer-passkey', 'consent'].filter((each) => each !== due)) {
      for (const form of FORMS) {
        const { status, location } = await sendForm(visitor, `${interaction}/${step}`, form, page);
        // Shown what is due, or told that such a field belongs elsewhere.
        expect([step, status === 400 || location?.pathname === `${interaction}/${due}`]).toEqual([step, true]);
      }
      const options = await sendForm(visitor, `${interaction}/${step}/options`, {}, page);
      expect(JSON.parse(options.body)).toEqual({ location: `${interaction}/${due}` });
      expect((await visitor.visit(`${interaction}/${step}`)).step).toBe(due);
    }
    expect((await sendForm(visitor, `${interaction}/${due}`, {}, page)).status).toBe(400);
    expect(await isSignedIn()).toBe(false);
  });

  test('a list of recovery codes is not made before its turn', async () => {
    const person = people.next('app');
    await begin(person);
    const before = await factorsOf(vestibule, person);
    await sendForm(visitor, `${interactionOf(visitor)}/recovery-codes`, { renew: 'yes' });
    expect(await factorsOf(vestibule, person)).toEqual(before);
  });

  test('the account area lets nobody in who only has the interaction', async () => {
    await begin(people.next('app'));
    for (const path of ['/app', '/off', '/codes', '/codes/renew', '/devices']) {
      const { status, location } = await sendForm(visitor, `/account/two-factor${path}`, {});
      expect([path, status, location?.pathname]).toEqual([path, 303, '/auth']);
    }
  });

  test.each(['totp', 'enrol-totp'])('somebody suspended at "%s" gets no further', async (step) => {
    const person = people.next(step === 'totp' ? 'app' : 'demanded');
    await begin(person);
    const key = step === 'totp' ? SECRET : keyOn(visitor.page);
    expect(key).toMatch(/^[A-Z2-7]{32}$/);
    await changeAccount(vestibule, person.username, { state: 'suspended' });
    await visitor.submit({ code: await codeOf(vestibule, key) });
    expect(visitor.page.location?.searchParams.has('code') ?? false).toBe(false);
    expect(await isSignedIn()).toBe(false);
    if (step === 'enrol-totp') expect((await factorsOf(vestibule, person)).seeds).toEqual([]);
  });
});

describe('2 pre-MFA session', () => {
  test('after the password only, every cookie on every route: denied', async () => {
    const person = people.next('app');
    await begin(person);
    expect(visitor.page.step).toBe('totp');
    const uid = interactionOf(visitor).split('/').at(-1);
    const held = visitor.cookies.all;
    expect(held.map(({ name }) => name)).not.toContain('vestibule_session');
    // All of them everywhere, whatever path they were for, and under the session's name.
    const cookie = [
      ...held.map(({ name, value }) => `${name}=${value}`),
      ...held.filter(({ name }) => !name.endsWith('.sig')).map(({ value }) => `vestibule_session=${value}`),
    ].join('; ');
    const get = (path: string | URL, headers = {}) =>
      visitor.request('GET', new URL(path, vestibule.issuer), undefined, { cookie, ...headers });

    for (const path of [
      '',
      '/passkeys',
      '/passkeys/add',
      '/two-factor',
      '/two-factor/app',
      '/two-factor/codes',
      '/two-factor/off',
    ]) {
      const page = await get(`/account${path}`);
      const to = path === '' ? '/account/passkeys' : '/auth';
      expect([path, page.status, page.location?.pathname]).toEqual([path, 303, to]);
      expect(page.body).not.toContain(person.username);
    }
    expect((await get('/me')).status).toBe(401);
    for (const { value } of held) expect((await get('/me', { authorization: `Bearer ${value}` })).status).toBe(401);
    const silent = await get(await portal.authorizationUrl({ prompt: 'none' }));
    expect(silent.location?.searchParams.get('error')).toBe('login_required');
    for (const path of [`/auth/${uid}`, '/session/end', '/device']) {
      const page = await get(path);
      expect(page.location?.searchParams.has('code') ?? false).toBe(false);
      expect(page.body).not.toContain(person.username);
    }
    const { body } = await get(await portal.authorizationUrl());
    expect(body).not.toContain(person.username);
    expect(await isSignedIn()).toBe(false);
  });

  test('a session from before the app was set up is no longer enough, anywhere', async () => {
    const person = people.next('plain');
    const early = await begin(person);
    expect(early.left.searchParams.has('code')).toBe(true);
    const owner = await passworded(vestibule, portal, person, { acr_values: MFA });
    await owner.submit({ code: await codeOf(vestibule, keyOn(owner.page)) });
    await owner.submit({ kept: 'yes' });
    expect(await isSignedIn(owner)).toBe(true);
    expect(await isSignedIn(early)).toBe(false);
    await early.visit(await portal.authorizationUrl());
    expect(early.page.step).toBe('totp');
  });

  test('given up at the code, the password counts for nothing in the next request', async () => {
    await begin(people.next('app'));
    await visitor.choose('cancel');
    expect(visitor.left.searchParams.get('error')).toBe('access_denied');
    await visitor.visit(await portal.authorizationUrl());
    expect(visitor.page.step).toBe('identify');
  });
});

describe('3 a login path omits MFA', () => {
  const PASSKEY = { acr: 'phr', amr: ['hwk', 'user', 'mfa'] };
  const PASSWORD = { acr: SFA, amr: ['pwd'] };
  const BOTH = { acr: MFA, amr: ['pwd', 'otp', 'mfa'] };
  /** Way in, what is asked for then, with an app or without one, and what was performed in the end. */
  const MATRIX: readonly (readonly [string, 'plain' | 'app', string | undefined, object])[] = [
    ['password', 'plain', undefined, PASSWORD],
    ['password', 'app', 'totp', BOTH],
    ['passkey with fingerprint', 'plain', undefined, PASSKEY],
    ['passkey with fingerprint', 'app', undefined, PASSKEY],
    ['passkey touched', 'plain', undefined, { acr: SFA, amr: ['hwk', 'user'] }],
    // A code is one more thing one has; what is missing is something one knows.
    ['passkey touched', 'app', 'password', { acr: MFA, amr: ['hwk', 'user', 'pwd', 'mfa'] }],
  ];
  test.each(MATRIX)('%s, %s: then %s', async (way, kind, then, performed) => {
    const person = people.next(kind);
    const browser = new PasskeyBrowser(
      kind === 'app' ? await coded(vestibule, portal, person) : await begin(person),
      vestibule.issuer,
    );
    await addPasskey(browser);
    const by = new PasskeyBrowser(new Visitor(vestibule), vestibule.issuer, browser.device);
    await by.visitor.visit(await portal.authorizationUrl());
    await by.visitor.submit({ username: person.username });
    expect(by.visitor.page.step).toBe('passkey');
    if (way === 'password') {
      await by.visitor.choose('password');
      await by.visitor.submit({ password: person.password });
    } else await by.use(way === 'passkey touched' ? { flags: { uv: false } } : {});
    if (then !== undefined) {
      expect(by.visitor.page.step).toBe(then);
      expect(by.visitor.page.location).toBeUndefined();
      await by.visitor.submit(then === 'totp' ? { code: await codeOf(vestibule) } : { password: person.password });
    }
    expect(await claimsAt(by.visitor, portal)).toMatchObject(performed);
  });
});
