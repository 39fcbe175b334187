import { parseArgs } from 'node:util';
import { createAccounts } from '../accounts/index.ts';
import { createAudit } from '../audit/index.ts';
import { createPasswordFactor, createPasswordRules } from '../credentials/index.ts';
import { OperatorError, VestibuleError } from '../kernel/errors.ts';
import { systemRandom as random } from '../kernel/random.ts';
import { isPlainAddress } from '../notifications/index.ts';
import type { Profile } from '../storage/ports.ts';
import { CONFIG_OPTION, CONFIG_USAGE, type Command, type CommandIo, UsageError } from './command.ts';
import { type CommandDurable, withDurable } from './storage.ts';

const OPTIONS = {
  ...CONFIG_OPTION,
  email: { type: 'string' },
  name: { type: 'string' },
  'given-name': { type: 'string' },
  'family-name': { type: 'string' },
  locale: { type: 'string' },
  phone: { type: 'string' },
  'minimum-acr': { type: 'string' },
  'password-stdin': { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

/** What the accounts and credentials refuse, in an operator's words. */
const REFUSALS: Readonly<Record<string, string>> = {
  username_taken: 'this username or e-mail address is in use already',
  username_invalid: 'the username or e-mail address is empty, too long, or has control characters',
  password_too_short: 'the password is shorter than passwords.min_length',
  password_too_long: 'the password is too long (256 characters; 72 bytes with bcrypt)',
  password_common: 'the password is on lists of much used or stolen ones',
  password_breached: 'the password was seen in a data breach',
  password_personal: 'the password is made of the username, address or name',
  password_guessable: 'the password is easily guessed',
  breach_lookup_failed: 'whether the password was in a data breach could not be asked (passwords.breach_lookup)',
  new_password_required: 'the password is empty',
};

export const peopleAdd: Command = {
  name: 'people add',
  summary: 'add a person',
  usage: `
Usage: vestibule people add <username> [options]

Adds a person who signs in with <username> or the e-mail address. Without --password-stdin a
password is made and shown once. The server may be running.

  --email <address>        counts as verified: you vouch for it
  --name, --given-name, --family-name, --locale <fr>, --phone <+41…>
  --minimum-acr <acr>      least level of assurance of this person's sign-ins, one of assurance.levels
  --password-stdin         read the password from the first line of standard input
  ${CONFIG_USAGE}
  --json                   {"id": …, "username": …, "password": … when it was made here}`,

  async run(args, io) {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
    const [username, ...rest] = positionals;
    if (username === undefined || rest.length > 0) throw new UsageError('name one person');
    const given = values['password-stdin'] ? await firstLine(io.stdin) : undefined;
    const password = given ?? random.bytes(15).toString('base64url');
    const id = await withDurable(values.config, (storage) => add(storage, username, password, values)).catch(
      (error: unknown) => {
        const reason = error instanceof VestibuleError ? REFUSALS[error.code] : undefined;
        throw reason ? new OperatorError(`${username} was not added: ${reason}.`) : error;
      },
    );
    const made = given === undefined ? { password } : {};
    const text =
      given === undefined ? `${username} was added. Password, shown this once: ${password}` : `${username} was added.`;
    io.stdout.write(values.json ? `${JSON.stringify({ id, username, ...made })}\n` : `${text}\n`);
    return 0;
  },
};

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

async function add(
  { config, durable, clock, logger }: CommandDurable,
  username: string,
  password: string,
  values: Values,
): Promise<string> {
  const accounts = createAccounts({ store: durable.accounts, clock, random });
  const audit = createAudit({ store: durable.audit, clock, random });
  const rules = createPasswordRules({ settings: config.passwords, logger });
  const passwords = createPasswordFactor({ store: durable.credentials, clock, random, logger, config });
  const minimumAcr = values['minimum-acr'];
  if (values.email !== undefined && !isPlainAddress(values.email))
    throw new OperatorError(`${username} was not added: ${values.email} is not one plain e-mail address.`);
  if (minimumAcr !== undefined && !config.assurance.levels.some(({ acr }) => acr === minimumAcr))
    throw new OperatorError(`${minimumAcr} is none of assurance.levels in vestibule.yaml.`);
  // Refused before anything is stored: a person without a password could not sign in.
  const problem = await rules.check(
    password,
    { words: [username, values.email, values.name].filter((word) => word !== undefined) },
    false,
  );
  await rules.close();
  if (problem) throw new VestibuleError(problem.code, 400);
  const account = await accounts.add({
    username,
    ...(values.email === undefined ? {} : { email: values.email, emailVerified: true }),
    ...(minimumAcr === undefined ? {} : { minimumAcr }),
    profile: profileOf(values),
  });
  await passwords.set(account.id, password);
  await audit.record({ event: 'people.added', accountId: account.id });
  await passwords.close();
  return account.id;
}

const profileOf = (values: Values): Profile => ({
  ...(values.name === undefined ? {} : { name: values.name }),
  ...(values['given-name'] === undefined ? {} : { given_name: values['given-name'] }),
  ...(values['family-name'] === undefined ? {} : { family_name: values['family-name'] }),
  ...(values.locale === undefined ? {} : { locale: values.locale }),
  ...(values.phone === undefined ? {} : { phone_number: values.phone }),
});

async function firstLine(stdin: CommandIo['stdin']): Promise<string> {
  let text = '';
  for await (const chunk of stdin) text += chunk.toString();
  return text.split(/\r?\n/, 1)[0] ?? '';
}
