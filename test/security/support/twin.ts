import { newMasterKey } from '../../support/config-folder.ts';
import { type StartOptions, startVestibule, type Vestibule } from '../../support/vestibule.ts';

/** Two server processes on the same databases behind one issuer, as two nodes would be. */
export async function startTwins(
  options: StartOptions,
): Promise<{ readonly one: Vestibule; readonly other: Vestibule }> {
  const env = { ...options.env, VESTIBULE_MASTER_KEY: newMasterKey() };
  const one = await startVestibule({ ...options, env });
  try {
    const other = await startVestibule({
      clients: options.clients ?? [],
      env,
      storage: one.storage,
      settings: { ...options.settings, issuer: one.issuer },
    });
    return { one, other };
  } catch (error) {
    await one.stop();
    throw error;
  }
}
