import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { PasskeyBrowser } from '../support/passkeys.ts';
import { clientFile, Portal } from '../support/portal.ts';
import { codeOf, crowd, MFA, nextCode, SECRET } from '../support/second-factor.ts';
import { type Person, startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { addPasskey, coded, HOME, passworded, sendForm } from './support/second-factor.ts';
import { bytesOnDisk } from './support/storage.ts';

const COOKIE = 'vestibule_device';
const mutuelle = clientFile('mutuelle');
const people = crowd({ app: { totp: { secret: SECRET } } });

let vestibule: Vestibule;
let portal: Portal;

beforeAll(async () => {
  vestibule = await startVestibule({
    clients: [mutuelle],
    people: people.everybody,
    settings: { trusted_devices: { enabled: true } },
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule?.stop());
beforeEach(() => nextCode(vestibule));

const deviceOf = (by: Visitor) => by.cookies.all.find(({ name }) => name === COOKIE)?.value ?? '';
const plant = (by: Visitor, value: string) =>
  by.cookies.store(new URL(vestibule.issuer), [`${COOKIE}=${value}; Path=/`]);
/** A browser after the password: is it asked for the code? */
async function isAsked(person: Person, by: Visitor): Promise<boolean> {
  by.cookies.clear('vestibule_session');
  await passworded(vestibule, portal, person, {}, by);
  return by.page.step === 'totp';
}
async function trusting(person: Person, by = new Visitor(vestibule)): Promise<Visitor> {
  expect(await isAsked(person, by)).toBe(true);
  await by.submit({ code: await codeOf(vestibule), trust: 'yes' });
  await nextCode(vestibule);
  expect(await isAsked(person, by)).toBe(false);
  return by;
}
const carrying = (value: string): Visitor => {
  const by = new Visitor(vestibule);
  plant(by, value);
  return by;
};

describe('2 a trusted device', () => {
  test('of one person is none for another, nor is one that was made up', async () => {
    const [one, two] = [people.next('app'), people.next('app')];
    const cookie = deviceOf(await trusting(one));
    for (const value of [
      cookie,
      `${cookie}.${cookie}`,
      'A'.repeat(27),
      '',
      '.',
      `${'A'.repeat(27)}.`.repeat(6),
      '*',
      '%2a',
      one.username,
    ])
      expect([value, await isAsked(two, carrying(value))]).toEqual([value, true]);
  });

  test('an id known to whoever used the browser before is not trusted with the next person', async () => {
    const [attacker, victim] = [people.next('app'), people.next('app')];
    const shared = await trusting(attacker);
    const known = deviceOf(shared);
    await trusting(victim, shared);
    expect(await isAsked(victim, carrying(known))).toBe(true);
    // Nor one that was planted without any sign-in.
    const planted = carrying('planted-by-an-attacker-0000');
    await trusting(people.next('app'), planted);
    expect(deviceOf(planted).split('.')[0]).not.toBe('planted-by-an-attacker-0000');
  });

  test('is not trusted by a wish that came with a wrong code, or was given up', async () => {
    const person = people.next('app');
    const by = new Visitor(vestibule);
    await isAsked(person, by);
    await by.submit({ code: '000000', trust: 'yes' });
    await by.choose('cancel');
    expect(deviceOf(by)).toBe('');
    // A wish of somebody who then turned out not to be the one who signs in.
    await isAsked(person, by);
    await by.submit({ code: '000000', trust: 'yes' });
    await by.choose('switch');
    const other = people.next('app');
    await by.submit({ username: other.username });
    await by.submit({ password: other.password });
    await by.submit({ code: await codeOf(vestibule) });
    expect([by.left.searchParams.has('code'), deviceOf(by)]).toEqual([true, '']);
  });

  test('does not survive a passkey that is added, nor being revoked', async () => {
    const person = people.next('app');
    const by = await trusting(person);
    await addPasskey(new PasskeyBrowser(await coded(vestibule, portal, person), vestibule.issuer));
    // The name alone tells a browser that knows no passkeys nothing: password, then code.
    expect(await isAsked(person, by)).toBe(true);
    await by.submit({ code: await codeOf(vestibule), trust: 'yes' });
    await nextCode(vestibule);
    await by.visit(HOME);
    await by.submit({}, { button: 'forget' });
    expect(await isAsked(person, by)).toBe(true);
  });

  test('another person’s is revoked by nobody else', async () => {
    const [one, two] = [people.next('app'), people.next('app')];
    const mine = await trusting(one);
    await mine.visit(HOME);
    const id = mine.page.forms.flatMap(({ buttons }) => buttons).find(({ name }) => name === 'device')?.value ?? '';
    expect(id).not.toBe('');
    // What the page names is no use as a cookie.
    expect(await isAsked(one, carrying(id.slice(0, 27)))).toBe(true);
    const other = await coded(vestibule, portal, two);
    await other.visit(HOME);
    await sendForm(other, `${HOME}/devices`, { device: id });
    expect(await isAsked(one, mine)).toBe(false);
  });

  test('its cookie is not in the storage, and claims no second factor', async () => {
    const person = people.next('app');
    const by = await trusting(person);
    const disk = (await bytesOnDisk(vestibule)).toString('latin1');
    for (const id of deviceOf(by).split('.')) expect([id.length, disk.includes(id)]).toEqual([27, false]);
    expect((await portal.exchange(by.left)).claims()?.amr).toEqual(['pwd']);
    await by.visit(await portal.authorizationUrl({ acr_values: MFA, prompt: 'none' }));
    expect(by.left.searchParams.has('code')).toBe(false);
  });
});
