/** Why a passkey was refused: for the log and the metrics, never for the page. */
export type Reason =
  | 'malformed'
  | 'challenge'
  | 'type'
  | 'origin'
  | 'rp_id'
  | 'user_presence'
  | 'user_verification'
  | 'algorithm'
  | 'signature'
  | 'counter'
  | 'unknown_credential'
  | 'other_account'
  | 'user_handle'
  | 'backup_eligibility'
  | 'attestation'
  | 'aaguid'
  | 'taken'
  | 'disabled'
  | 'limit';

/** The library tells its checks apart by sentences; what none of these fits did not parse. */
const SENTENCES: readonly (readonly [sentence: RegExp, reason: Reason])[] = [
  [/response type/i, 'type'],
  [/challenge/i, 'challenge'],
  [/origin/i, 'origin'],
  [/rp ?id/i, 'rp_id'],
  [/verification was required|verification required/i, 'user_verification'],
  [/not present/i, 'user_presence'],
  [/\balg\b/i, 'algorithm'],
  [/attestation|certificate|attStmt|x5c|\(packed|\(tpm/i, 'attestation'],
];

export function reasonOf(error: unknown): Reason {
  const sentence = error instanceof Error ? error.message : '';
  return SENTENCES.find(([pattern]) => pattern.test(sentence))?.[1] ?? 'malformed';
}

/** The sentence for the person; everything an attacker could learn from is told the same way. */
export const problemOf = (reason: Reason): string => PROBLEMS[reason] ?? 'passkey_refused';

const PROBLEMS: Readonly<Partial<Record<Reason, string>>> = {
  challenge: 'passkey_expired',
  user_verification: 'passkey_not_verified',
  unknown_credential: 'passkey_unknown',
  attestation: 'passkey_not_allowed',
  aaguid: 'passkey_not_allowed',
  taken: 'passkey_exists',
  limit: 'passkey_limit',
};
