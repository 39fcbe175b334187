import { describe, expect, test } from '@jest/globals';
import { createReleases } from '../../../src/oidc/index.ts';

type Kept = readonly { readonly provider: string; readonly claims: Readonly<Record<string, unknown>> }[];

/** In the order of the buttons: `first`, then `second`. */
const RELEASES = [
  { provider: 'first', clients: { portal: ['birthdate', 'phone_number', 'phone_number_verified'], empty: [] } },
  {
    provider: 'second',
    clients: { portal: ['birthdate', 'phone_number', 'number'], other: ['phone_number_verified'] },
  },
];

function arrange(kept: Kept = []) {
  const reads: string[] = [];
  const external = {
    claims: async (accountId: string) => {
      reads.push(accountId);
      return [...kept];
    },
  };
  const releases = createReleases({ federation: { releases: RELEASES }, external });
  const told = (clientId: string, ...names: string[]) => releases.told(clientId, 'anna', names);
  return { releases, told, reads };
}

test('names what somebody is released, and what one client is', () => {
  const { releases } = arrange();
  expect(releases.names.toSorted()).toEqual(['birthdate', 'number', 'phone_number', 'phone_number_verified']);
  expect(releases.of('other')).toEqual(['phone_number_verified']);
  for (const id of ['empty', 'nobody', '__proto__', 'constructor']) expect(releases.of(id)).toEqual([]);
});

describe('storage', () => {
  test('is read once for a client that asks for what it is released', async () => {
    const { told, reads } = arrange();
    await told('portal', 'birthdate', 'number', 'name');
    expect(reads).toEqual(['anna']);
  });

  test.each([
    ['a client that is released nothing', 'nobody', ['birthdate']],
    ['a client with an empty list', 'empty', ['birthdate']],
    ['what the client is not released', 'other', ['birthdate', 'number']],
    ['a request for nothing', 'portal', []],
  ])('is not read for %s', async (_what, clientId, names) => {
    const { told, reads } = arrange();
    expect(await told(clientId, ...names)).toEqual({});
    expect(reads).toEqual([]);
  });
});

describe('several identities', () => {
  test('count in the order of the providers, whichever was used last', async () => {
    const { told } = arrange([
      { provider: 'second', claims: { birthdate: '2000-02-02', number: 'two' } },
      { provider: 'first', claims: { birthdate: '2000-01-01', number: 'not released by this one' } },
    ]);
    expect(await told('portal', 'birthdate', 'number')).toEqual({ birthdate: '2000-01-01', number: 'two' });
  });

  test('of one provider count with the one used last', async () => {
    const { told } = arrange([
      { provider: 'first', claims: { birthdate: '2000-01-02' } },
      { provider: 'first', claims: { birthdate: '2000-01-01' } },
    ]);
    expect(await told('portal', 'birthdate')).toEqual({ birthdate: '2000-01-02' });
  });

  test('of a provider that is not among those in use count for nothing', async () => {
    const { told } = arrange([{ provider: 'gone', claims: { birthdate: '2000-01-01' } }]);
    expect(await told('portal', 'birthdate')).toEqual({});
  });
});

describe('whether something is verified', () => {
  const first = { provider: 'first', claims: { phone_number_verified: true } };
  const second = { provider: 'second', claims: { phone_number: '+32', phone_number_verified: true } };

  test('is not said by one provider of what another says', async () => {
    const { told } = arrange([{ provider: 'first', claims: { phone_number: '+31' } }, first, second]);
    expect(await told('portal', 'phone_number', 'phone_number_verified')).toEqual({ phone_number: '+31' });
  });

  test('is not said alone', async () => {
    const { told } = arrange([{ provider: 'first', claims: { phone_number: '+31', phone_number_verified: true } }]);
    expect(await told('portal', 'phone_number_verified')).toEqual({});
    expect(await told('portal', 'phone_number', 'phone_number_verified')).toEqual({
      phone_number: '+31',
      phone_number_verified: true,
    });
  });
});
