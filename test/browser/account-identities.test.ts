import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { parse } from 'yaml';
import { removePassword } from '../flows/arrange.ts';
import { accessibilityViolations } from '../support/axe.ts';
import { withBrowser } from '../support/browser.ts';
import { confirmAs, EID, passEid } from '../support/demo-eid.ts';
import { faultsOf } from '../support/page-faults.ts';
import {
  complaintsOf,
  givePassword,
  giveUsername,
  headingOf,
  press,
  problemOn,
  stepOf,
  textOf,
} from '../support/person.ts';
import { freePort } from '../support/ports.ts';
import { requires } from '../support/requirements.ts';
import { ServerProcess } from '../support/server-process.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';

const EXAMPLES = resolve(import.meta.dirname, '../../examples');
const LIST = '/account/identities';
const UNLINK = '[data-alternative=unlink]';
const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;
const TELEPHONE = { width: 320, height: 640 };
const HELP_DESK = 'Ask at the desk on the ground floor.';

const people = ['anna', 'bea', 'cleo', 'dora', 'elsa'].map((username) => ({
  username,
  password: `${username}-demo-password`,
}));

/** The demo's eID in a process of its own, so that its clock moves with the server's. */
requires('chromium')('with an eID in the account area, a person', () => {
  const browser = withBrowser();
  let vestibule: Vestibule;
  let eid: ServerProcess;
  let eidUrl: string;
  let moved = 0;

  beforeAll(async () => {
    const port = await freePort();
    eidUrl = `http://localhost:${port}`;
    const file = parse(await readFile(`${EXAMPLES}/config/providers/demo-eid.yaml`, 'utf8'));
    vestibule = await startVestibule({
      people,
      settings: { branding: { support_contact: { en: HELP_DESK } } },
      files: {
        'providers/demo-eid.yaml': {
          ...file,
          issuer: eidUrl,
          clients: undefined,
          release: {},
          link: { create_accounts: false },
        },
        'logos/demo-eid.svg': await readFile(`${EXAMPLES}/config/logos/demo-eid.svg`, 'utf8'),
      },
    });
    const env = { PATH: process.env.PATH ?? '', EID_PORT: String(port), ISSUER: vestibule.issuer };
    eid = new ServerProcess([`${EXAMPLES}/eid/index.ts`], env, () => {});
    await eid.printed('Demo eID');
  }, 60_000);
  afterAll(async () => {
    await vestibule?.stop();
    await eid?.end('SIGKILL');
  });

  const open = async (page: Page, username: string): Promise<void> => {
    await page.goto(`${vestibule.issuer}${LIST}`);
    await giveUsername(page, username);
    await givePassword(page, username);
    expect(await stepOf(page)).toBe('account-identities');
  };
  /** On the server and at the eID. */
  const advanceClock = async (seconds: number): Promise<void> => {
    moved += seconds;
    await vestibule.advanceClock(seconds);
    await eid.moveClock(moved * 1000);
  };
  const cards = (page: Page) => page.locator('.cards > li').allTextContents();

  test('links it, reads what is linked, and unlinks it after a question', async () => {
    const page = await browser.open();
    const complaints = complaintsOf(page, [vestibule.issuer, eidUrl]);
    await open(page, 'anna');
    expect([await headingOf(page), await cards(page)]).toEqual(['Linked identities', []]);
    expect(await accessibilityViolations(page)).toEqual([]);

    await press(page, EID);
    expect(await stepOf(page)).toBe('choose');
    await press(page, '#cancel');
    expect(new URL(page.url()).pathname).toBe(LIST);
    expect(await page.locator('#problem').textContent()).toContain('You cancelled at Demo eID, so nothing was linked.');
    expect(await accessibilityViolations(page)).toEqual([]);

    await press(page, EID);
    await confirmAs(page, 'nora');
    expect(await page.getByRole('status').textContent()).toContain('The identity is linked.');
    expect(await cards(page)).toEqual([expect.stringMatching(/Demo eID.*Nora Haddad.*Linked:.*\d{4}/s)]);
    expect(await accessibilityViolations(page)).toEqual([]);
    // The address says what happened, and nothing of the eID's answer.
    await page.reload();
    expect(await cards(page)).toHaveLength(1);

    await press(page, UNLINK);
    expect([await stepOf(page), await headingOf(page)]).toEqual(['account-identity-unlink', 'Unlink Demo eID?']);
    expect(await textOf(page)).toContain('Nora Haddad');
    expect(await accessibilityViolations(page)).toEqual([]);
    await press(page, '[data-alternative=cancel]');
    expect(await cards(page)).toHaveLength(1);
    await press(page, UNLINK);
    await press(page);
    expect(await page.getByRole('status').textContent()).toContain('The identity is unlinked.');
    expect(await cards(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('who has nothing else comes in with it, shows it again later, and keeps it', async () => {
    const first = await browser.open();
    await open(first, 'bea');
    await press(first, EID);
    await confirmAs(first, 'jan');
    await removePassword(vestibule, { username: 'bea' });

    const page = await browser.open();
    await page.goto(`${vestibule.issuer}${LIST}`);
    await press(page, EID);
    await confirmAs(page, 'jan');
    expect([await stepOf(page), await textOf(page)]).toEqual(['account-identities', expect.stringContaining('bea')]);
    await advanceClock(6 * MINUTE);
    await press(page, UNLINK);
    await press(page, EID);
    expect(await stepOf(page)).toBe('choose');
    await confirmAs(page, 'jan');
    expect([await stepOf(page), await headingOf(page)]).toEqual([
      'account-refused',
      'This is your only way to sign in',
    ]);
    expect(await textOf(page)).toContain('stays linked');
    expect(await accessibilityViolations(page)).toEqual([]);
    await press(page);
    expect(await cards(page)).toHaveLength(1);
  });

  test('who has one links another, and sees when each was linked and used last', async () => {
    const page = await browser.open({ locale: 'de-CH', colorScheme: 'dark', viewport: TELEPHONE });
    const complaints = complaintsOf(page, [vestibule.issuer, eidUrl]);
    await open(page, 'cleo');
    await passEid(page, 'bruno');
    expect([await page.locator(EID).textContent(), await faultsOf(page)]).toEqual([
      'Weitere Identität bei Demo-eID verknüpfen',
      [],
    ]);
    await passEid(page, 'aline');
    expect(await cards(page)).toHaveLength(2);
    await advanceClock(DAY);

    const other = await browser.open();
    await other.goto(`${vestibule.issuer}${LIST}`);
    await passEid(other, 'bruno');
    const daysOf = (card = '') => (card.match(/\d+ \w+ \d{4}/g) ?? []).map((day) => Date.parse(`${day} UTC`) / 1000);
    const [bruno, aline] = (await cards(other))
      .toSorted((card) => (card.includes('Bruno Lefèvre') ? -1 : 1))
      .map(daysOf);
    expect(bruno?.[1]).toBe(Number(bruno?.[0]) + DAY);
    expect([aline?.length, aline?.[1]]).toEqual([2, aline?.[0]]);
    expect(complaints).toEqual([]);
  });

  test('can not link what is linked to somebody else, and is told so', async () => {
    const first = await browser.open();
    await open(first, 'elsa');
    await passEid(first, 'alice');
    expect(await cards(first)).toEqual([expect.stringContaining('Alice Peeters')]);
    const page = await browser.open({ locale: 'fr-BE', viewport: TELEPHONE });
    await open(page, 'dora');
    await passEid(page, 'alice');
    expect(await problemOn(page)).toContain('Cette identité est déjà liée à un autre compte.');
    expect([await cards(page), await faultsOf(page)]).toEqual([[], []]);
  });

  test('whom nobody knows can make no account where the operator lets nobody, and reads who helps', async () => {
    const page = await browser.open({ javaScriptEnabled: false });
    await page.goto(`${vestibule.issuer}${LIST}`);
    await passEid(page, 'nora');
    expect([await stepOf(page), await page.locator('[data-alternative=create]').count()]).toEqual(['external', 0]);
    expect(await textOf(page)).toContain(HELP_DESK);
  });
});
