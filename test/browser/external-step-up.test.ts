import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { withBrowser } from '../support/browser.ts';
import { type Demo, startDemo } from '../support/demo.ts';
import { type Citizen, EID, eidas, passEid, passEidByKeyboard } from '../support/demo-eid.ts';
import { faultsOf } from '../support/page-faults.ts';
import {
  begin,
  claimsAt,
  complaintsOf,
  givePassword,
  giveUsername,
  headingOf,
  press,
  problemOn,
  signIn,
  stepOf,
  textOf,
} from '../support/person.ts';
import { requires } from '../support/requirements.ts';

const TELEPHONE = { width: 320, height: 640 };
/** What the demo’s eID says of Nora; the demo releases it to one portal. */
const NUMBER = 'XD-920130-0239';

/** The municipality lets nobody in who did not come with an eID, and shows documents at the highest level alone. */
requires('chromium')('at the demo’s portal that demands an eID, a person', () => {
  const browser = withBrowser();
  let demo: Demo;
  let mutuelle: string;
  let commune: string;
  let origins: readonly string[];

  beforeAll(async () => {
    demo = await startDemo();
    mutuelle = `${demo.portals}/mutuelle`;
    commune = `${demo.portals}/commune`;
    origins = [demo.issuer, demo.portals, demo.eid];
    await demo.addPeople(['ines', 'ivo', 'karl', 'lena']);
    await linked('ines', 'nora');
    await linked('ivo', 'jan');
  }, 90_000);
  afterAll(() => demo?.stop());

  /** Somebody who has an identity from before. */
  async function linked(username: string, citizen: Citizen): Promise<void> {
    const page = await browser.open();
    await begin(page, mutuelle);
    await passEid(page, citizen);
    await press(page);
    await giveUsername(page, username);
    await givePassword(page, username);
    expect((await claimsAt(page))?.acr).toBe(eidas('substantial'));
    await page.context().close();
  }

  test('signed in with a password is sent there, by the identity of this account alone, high enough', async () => {
    const page = await browser.open({ viewport: TELEPHONE, locale: 'fr-BE' });
    const complaints = complaintsOf(page, origins);
    await signIn(page, mutuelle, 'ines');
    const before = await claimsAt(page);
    await begin(page, commune);
    expect([await stepOf(page), await headingOf(page)]).toEqual(['external', 'Confirmez votre identité']);
    expect(await textOf(page)).toMatch(/ines.*Commune de Clairval demande votre identité électronique/s);
    expect(await faultsOf(page)).toEqual([]);

    await passEid(page, 'nora', 'low');
    expect([await stepOf(page), await problemOn(page)]).toEqual([
      'external',
      expect.stringContaining('Votre connexion chez eID Démo n’était pas assez sûre pour cela.'),
    ]);
    expect(await faultsOf(page)).toEqual([]);

    await passEid(page, 'jan');
    expect([await stepOf(page), await problemOn(page)]).toEqual([
      'external',
      expect.stringContaining('n’est pas liée à ce compte'),
    ]);
    expect(await faultsOf(page)).toEqual([]);

    await press(page, EID);
    await press(page, '#cancel');
    expect(await problemOn(page)).toContain('Vous avez annulé chez eID Démo.');
    await passEidByKeyboard(page, 'nora');
    expect([page.url(), await claimsAt(page)]).toEqual([
      commune,
      expect.objectContaining({ sub: before?.sub, acr: eidas('substantial') }),
    ]);
    expect(complaints).toEqual([]);
  });

  test('without a script the same, and once more for what needs the highest level', async () => {
    const page = await browser.open({ javaScriptEnabled: false });
    await signIn(page, mutuelle, 'ines');
    await begin(page, commune);
    await passEid(page, 'nora');
    await press(page, '#documents');
    expect([await stepOf(page), await headingOf(page)]).toEqual(['external', 'Confirm who you are']);
    await passEid(page, 'nora', 'substantial');
    expect(await problemOn(page)).toContain('was not secure enough');
    await passEid(page, 'nora');
    expect([page.url(), await page.locator('#documents-list li').count()]).toEqual([`${commune}/documents`, 3]);
    await page.goto(commune);
    expect((await claimsAt(page))?.acr).toBe(eidas('high'));
  });

  test('who comes straight from the eID is in at once, if it was high enough', async () => {
    const page = await browser.open();
    await begin(page, commune);
    await passEid(page, 'nora', 'low');
    expect([await stepOf(page), await problemOn(page)]).toEqual([
      'identify',
      expect.stringContaining('was not secure enough'),
    ]);
    await passEid(page, 'nora');
    expect([page.url(), (await claimsAt(page))?.acr]).toEqual([commune, eidas('substantial')]);
  });

  test('who has none linked yet links it on the way; the password alone would not do', async () => {
    const page = await browser.open({ colorScheme: 'dark', locale: 'de-CH', viewport: TELEPHONE });
    await signIn(page, commune, 'karl');
    expect([await stepOf(page), await textOf(page)]).toEqual([
      'external',
      expect.stringContaining('können Sie das jetzt nachholen'),
    ]);
    expect(await faultsOf(page)).toEqual([]);
    await passEid(page, 'bruno');
    // Named, as it may be somebody else’s who uses the same telephone; the password was given a moment ago.
    expect([await stepOf(page), await textOf(page)]).toEqual(['external', expect.stringContaining('Bruno Lefèvre')]);
    await press(page);
    expect([page.url(), await claimsAt(page)]).toEqual([
      commune,
      expect.objectContaining({ acr: eidas('substantial'), amr: ['pwd'] }),
    ]);
  });

  test('signed in since long ago proves the account anew before an identity becomes theirs', async () => {
    const page = await browser.open({ viewport: TELEPHONE });
    await signIn(page, mutuelle, 'lena');
    await begin(page, commune);
    await passEid(page, 'alice');
    expect([await stepOf(page), await headingOf(page)]).toEqual(['external', 'Link Demo eID to your account']);
    expect(await page.locator('[data-alternative=create]').count()).toBe(0);
    expect(await faultsOf(page)).toEqual([]);
    await press(page);
    expect([await stepOf(page), await textOf(page)]).toEqual(['password', expect.stringContaining('lena')]);
    await givePassword(page, 'lena');
    expect([page.url(), (await claimsAt(page))?.acr]).toEqual([commune, eidas('substantial')]);
  });

  test('who gives up is back at the portal, signed in elsewhere as before', async () => {
    const page = await browser.open();
    await signIn(page, mutuelle, 'ivo');
    await begin(page, commune);
    await press(page, '[data-alternative=cancel]');
    expect([page.url(), await claimsAt(page)]).toEqual([commune, undefined]);
    await page.goto(mutuelle);
    expect((await claimsAt(page))?.amr).toEqual(['pwd']);
  });

  test('is known by a national number to the one portal that it is released to', async () => {
    const page = await browser.open();
    await begin(page, `${demo.portals}/caisse`);
    await passEid(page, 'nora');
    expect(await claimsAt(page)).toMatchObject({ national_number: NUMBER });
    await begin(page, mutuelle);
    expect(page.url()).toBe(mutuelle);
    expect(await textOf(page)).not.toMatch(/national_number|XD-/);
  });
});
