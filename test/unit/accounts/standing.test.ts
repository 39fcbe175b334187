import { expect, test } from '@jest/globals';
import { may, type Use } from '../../../src/accounts/index.ts';

const account = { state: 'active', emailVerified: true } as const;
const active = { account, locked: false };
const locked = { account, locked: true };
const unverified = { account: { ...account, emailVerified: false }, locked: false };
const both = { ...unverified, locked: true };
const suspended = { account: { ...account, state: 'suspended' }, locked: false } as const;
const deleted = { account: { ...account, state: 'deleted' }, locked: false } as const;
const nobody = { account: undefined, locked: false };

/** The policy as people read it: what works (+) and what doesn't (-). */
test.each([
  //                       password passkey eid recovery session refresh userinfo
  ['active', active, '      +        +     +     +       +       +       +'],
  ['unverified', unverified, '+      +     +     -       +       +       +'],
  ['locked', locked, '      -        +     +     +       +       +       +'],
  ['locked, unverified', both, '-    +     +     -       +       +       +'],
  ['suspended', suspended, '-        -     -     -       -       -       -'],
  ['deleted', deleted, '    -        -     -     -       -       -       -'],
  ['not there', nobody, '   -        -     -     -       -       -       -'],
])('%s', (_what, { account, locked }, row) => {
  const uses: readonly Use[] = ['password', 'passkey', 'eid', 'recovery', 'session', 'refresh', 'userinfo'];
  const allowed = uses.map((use) => (may(account, use, locked) ? '+' : '-'));
  expect(allowed).toEqual(row.trim().split(/ +/));
});
