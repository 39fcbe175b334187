import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { requires } from '../support/requirements.ts';
import { accountStoreContract } from './account-store.ts';
import { artifactEndContract } from './artifact-end.ts';
import { artifactStoreContract } from './artifact-store.ts';
import { artifactUseContract } from './artifact-use.ts';
import { auditStoreContract } from './audit-store.ts';
import { consentStoreContract } from './consent-store.ts';
import { counterStoreContract } from './counter-store.ts';
import { credentialStoreContract } from './credential-store.ts';
import { engines } from './engines.ts';
import { journeyStoreContract } from './journey-store.ts';
import { keyStoreContract } from './key-store.ts';
import { lifecycleContract } from './lifecycle.ts';
import { lockStoreContract } from './lock-store.ts';
import { outboxStoreContract } from './outbox-store.ts';
import { processContract } from './processes.ts';
import { durableTransferContract, ephemeralTransferContract } from './transfer-store.ts';

describe.each(Object.entries(engines))('storage engine %s', (name, { openDurable, openEphemeral, server }) => {
  (server ? requires(server.requirement) : describe)('keeps what the ports promise', () => {
    beforeAll(() => server?.start());
    afterAll(async () => {
      const leftovers = await server?.leftovers();
      await server?.stop();
      expect(leftovers ?? []).toEqual([]);
    });

    if (openDurable) {
      accountStoreContract(openDurable);
      credentialStoreContract(openDurable);
      consentStoreContract(openDurable);
      keyStoreContract(openDurable);
      auditStoreContract(openDurable);
      outboxStoreContract(openDurable);
      artifactStoreContract('durable', openDurable);
      artifactUseContract('durable', openDurable);
      artifactEndContract('durable', openDurable);
      lifecycleContract('durable', openDurable);
      durableTransferContract(openDurable);
    }
    if (openEphemeral) {
      artifactStoreContract('ephemeral', openEphemeral);
      artifactUseContract('ephemeral', openEphemeral);
      artifactEndContract('ephemeral', openEphemeral);
      journeyStoreContract(openEphemeral);
      counterStoreContract(openEphemeral);
      lockStoreContract(openEphemeral);
      lifecycleContract('ephemeral', openEphemeral);
      ephemeralTransferContract(openEphemeral);
    }
    processContract(name);
  });
});
