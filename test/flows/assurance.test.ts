import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clientFile, Portal } from '../support/portal.ts';
import { startVestibule, type Vestibule } from '../support/vestibule.ts';
import { Visitor } from '../support/visitor.ts';
import { alice, errorAt, signIn, signInSilently } from './arrange.ts';

const SFA = 'https://refeds.org/profile/sfa';
const MFA = 'https://refeds.org/profile/mfa';
/** Out of reach without passkeys. */
const PHR = 'phr';

const mutuelle = clientFile('mutuelle');
const demanding = clientFile('demanding', { default_acr_values: [SFA] });
const excessive = clientFile('excessive', { default_acr_values: [PHR] });

let vestibule: Vestibule;
let portal: Portal;
let visitor: Visitor;

beforeAll(async () => {
  vestibule = await startVestibule({
    // Passwords and codes alone: phishing-resistant can't be reached by anybody.
    settings: { passkeys: { enabled: false } },
    clients: [mutuelle, demanding, excessive],
    people: [alice],
  });
  portal = await Portal.discover(vestibule, mutuelle);
});
afterAll(() => vestibule.stop());
beforeEach(() => {
  visitor = new Visitor(vestibule);
});

const essential = (acr: object): { claims: string } => ({
  claims: JSON.stringify({ id_token: { acr: { essential: true, ...acr } } }),
});

const MET: readonly (readonly [string, Record<string, string>])[] = [
  ['acr_values', { acr_values: SFA }],
  ['acr_values, any one of which will do', { acr_values: `urn:unheard-of ${MFA} ${SFA}` }],
  ['an essential value', essential({ value: SFA })],
  ['essential values, any one of which will do', essential({ values: ['urn:unheard-of', SFA] })],
  ['an essential claim without a value', essential({})],
  ['a voluntary claim that is not met', { claims: JSON.stringify({ id_token: { acr: { value: MFA } } }) }],
];

const UNMET: readonly (readonly [string, Record<string, string>])[] = [
  ['acr_values', { acr_values: PHR }],
  ['acr_values that nobody knows', { acr_values: 'urn:unheard-of' }],
  ['an essential value', essential({ value: PHR })],
  ['essential values', essential({ values: [PHR, 'urn:unheard-of'] })],
  ['an essential value that nobody knows', essential({ value: 'urn:unheard-of' })],
];

describe('a demand that can be met', () => {
  test.each(MET)('by %s: the level stands in the ID token', async (_how, parameters) => {
    const tokens = await portal.exchange(await signIn(visitor, portal, parameters));
    expect(tokens.claims()).toMatchObject({ acr: SFA, amr: ['pwd'] });
  });

  test.each(MET)('by %s: a session that has it asks nothing', async (_how, parameters) => {
    await signIn(visitor, portal);
    const tokens = await portal.exchange(await signInSilently(visitor, portal, parameters));
    expect(tokens.claims()?.acr).toBe(SFA);
  });

  test('by the client’s file', async () => {
    const other = await Portal.discover(vestibule, demanding);
    const tokens = await other.exchange(await signIn(visitor, other));
    expect(tokens.claims()?.acr).toBe(SFA);
  });
});

describe('a demand that can’t be met', () => {
  test.each(UNMET)(
    'by %s: said to the portal at once, before anybody is asked for anything',
    async (_how, parameters) => {
      for (const more of [{}, { prompt: 'none' }, { prompt: 'login' }]) {
        const callback = await signInSilently(visitor, portal, { ...parameters, ...more });
        expect(errorAt(callback)).toBe('unmet_authentication_requirements');
        expect(callback.searchParams.get('state')).toBeTruthy();
      }
    },
  );

  test.each(UNMET)('by %s: also when somebody is signed in', async (_how, parameters) => {
    await signIn(visitor, portal);
    for (const more of [{}, { prompt: 'none' }]) {
      const callback = await signInSilently(visitor, portal, { ...parameters, ...more });
      expect(errorAt(callback)).toBe('unmet_authentication_requirements');
    }
  });

  test('by the client’s file: said to the portal, which may still ask for less', async () => {
    const other = await Portal.discover(vestibule, excessive);
    expect(errorAt(await signInSilently(visitor, other))).toBe('unmet_authentication_requirements');
    expect(errorAt(await signIn(visitor, other, { acr_values: SFA }))).toBeNull();
  });

  test.each([
    ['is no list', essential({ values: SFA })],
    ['is a number', essential({ value: 1 })],
  ])('is never taken for met when it %s', async (_what, parameters) => {
    expect(['invalid_request', 'unmet_authentication_requirements']).toContain(
      errorAt(await signInSilently(visitor, portal, parameters)),
    );
  });
});
