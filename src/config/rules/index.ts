/**
 * Rules between settings: what the schema of one setting alone can't say. Each is a row of a
 * table, names the settings it reads (and is left out while one of them is wrong in itself), and
 * says in one sentence what to do.
 */
import { addressRules } from './addresses.ts';
import type { ClientSubject } from './client.ts';
import { clientAddressRules } from './client-addresses.ts';
import { clientAuthenticationRules } from './client-authentication.ts';
import { clientGrantRules } from './client-grants.ts';
import { clusterRules } from './cluster.ts';
import { clientFileRules, serverFileRules } from './files.ts';
import { mailRules } from './mail.ts';
import { mongodbRules } from './mongodb.ts';
import { passkeyRules } from './passkeys.ts';
import { type ProviderSubject, providerRules } from './provider.ts';
import { redisRules } from './redis.ts';
import { referenceRules } from './references.ts';
import type { Rule, ServerSubject } from './rule.ts';
import { clientSecretRules, serverSecretRules } from './secrets.ts';

export { applyRules } from './rule.ts';

/** For `vestibule.yaml`. */
export const SERVER_RULES: readonly Rule<ServerSubject>[] = [
  ...addressRules,
  ...clusterRules,
  ...mailRules,
  ...mongodbRules,
  ...passkeyRules,
  ...redisRules,
  ...referenceRules,
  ...serverFileRules,
  ...serverSecretRules,
];

/** For each `clients/<client_id>.yaml`. */
export const CLIENT_RULES: readonly Rule<ClientSubject>[] = [
  ...clientGrantRules,
  ...clientAuthenticationRules,
  ...clientAddressRules,
  ...clientFileRules,
  ...clientSecretRules,
];

/** For each `providers/<id>.yaml`. What a preset makes of it is `federation/`'s to judge. */
export const PROVIDER_RULES: readonly Rule<ProviderSubject>[] = providerRules;
