import type { Problem } from './pages/index.ts';

/** The new password, twice, so that nobody sets what they can't repeat. */
export const NEW_PASSWORD_FIELDS = ['new_password', 'new_password_again'] as const;

/** Why a form with a new password comes back, and at which field the sentence stands. */
export interface Refused {
  readonly problem: Problem;
  readonly field: 'current_password' | (typeof NEW_PASSWORD_FIELDS)[number];
}

type NewPassword = Readonly<Partial<Record<(typeof NEW_PASSWORD_FIELDS)[number], string>>>;

/** An empty one is for the rules to refuse. */
export const differs = ({ new_password = '', new_password_again = '' }: NewPassword): Refused | undefined =>
  new_password === '' || new_password === new_password_again
    ? undefined
    : // Above both fields: both are empty again.
      { problem: { code: 'passwords_differ' }, field: 'new_password' };

export const refusedFor = (problem: Problem | undefined): Refused | undefined =>
  problem && { problem, field: 'new_password' };
