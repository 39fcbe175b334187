import { describe } from '@jest/globals';
import { accountStoreContract } from './account-store.ts';
import { artifactStoreContract } from './artifact-store.ts';
import { auditStoreContract } from './audit-store.ts';
import { consentStoreContract } from './consent-store.ts';
import { counterStoreContract } from './counter-store.ts';
import { credentialStoreContract } from './credential-store.ts';
import { engines } from './engines.ts';
import { journeyStoreContract } from './journey-store.ts';
import { keyStoreContract } from './key-store.ts';
import { lifecycleContract } from './lifecycle.ts';
import { processContract } from './processes.ts';

describe.each(Object.entries(engines))('storage engine %s', (name, { openDurable, openEphemeral }) => {
  accountStoreContract(openDurable);
  credentialStoreContract(openDurable);
  consentStoreContract(openDurable);
  keyStoreContract(openDurable);
  auditStoreContract(openDurable);
  artifactStoreContract('durable', openDurable);
  artifactStoreContract('ephemeral', openEphemeral);
  journeyStoreContract(openEphemeral);
  counterStoreContract(openEphemeral);
  lifecycleContract('durable', openDurable);
  lifecycleContract('ephemeral', openEphemeral);
  processContract(name);
});
