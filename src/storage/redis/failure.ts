/**
 * What may be told of a driver's error. Its own errors carry the command with all arguments
 * (payloads, passwords), and some messages quote them.
 */
export type Cleaner = (error: unknown) => Error;

/** @param secrets what no message may hold */
export function createCleaner(secrets: readonly (string | undefined)[]): Cleaner {
  const unsayable = secrets.filter((secret): secret is string => secret !== undefined && secret !== '');
  return (error) => {
    const message = error instanceof Error ? error.message : String(error);
    // "unknown command …, with args beginning with: …"
    const [said = ''] = message.split(/, with args/i, 1);
    const clean = new Error(unsayable.reduce((text, secret) => text.replaceAll(secret, '…'), said));
    clean.name = error instanceof Error ? error.name : 'Error';
    return clean;
  };
}

/** Not a matter of waiting: the operator must change something. First match counts. */
const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [/WRONGPASS|invalid password|AUTH failed/i, 'refuses the username or the password'],
  [/NOAUTH/, 'wants a password, and none is set'],
  [/no password is set|without any password configured/i, 'has no password, and one is set'],
  [/NOPERM/, 'gives this user too few rights'],
  [/DB index is out of range|SELECT is not allowed/i, 'has no such database'],
  [
    /certificate|altname|self.signed|unable to (get|verify)|SSL routines|wrong version number/i,
    'can’t be trusted by TLS',
  ],
];

/** @returns what is wrong, when trying again won't help; completes "Redis at …" */
export const refusalIn = (message: string): string | undefined =>
  REFUSALS.find(([pattern]) => pattern.test(message))?.[1];
