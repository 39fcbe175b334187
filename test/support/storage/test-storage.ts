import type { DurableStorage, EngineContext, EphemeralStorage } from '../../../src/storage/ports.ts';
import type { Settings } from '../config-folder.ts';

export type Half = 'durable' | 'ephemeral';

export interface TestStorage {
  /** `storage` of `vestibule.yaml`. */
  readonly settings: Settings;
  /** Variables that the settings name. */
  readonly env: Readonly<Record<string, string>>;
  /** As another process would. */
  openDurable(context: EngineContext): Promise<DurableStorage>;
  openEphemeral(context: EngineContext): Promise<EphemeralStorage>;
  /** Every byte that is kept. */
  contents(): Promise<Buffer>;
  /**
   * From then on every read and write of the table fails; the names are SQLite's.
   * @returns brings it back
   * @throws on servers, for a test that did not start with `breakable`
   */
  takeAway(half: Half, table: string): Promise<() => Promise<void>>;
  remove(): Promise<void>;
}

export interface StorageOptions {
  /** Whether tables may be taken away. */
  readonly breakable: boolean;
}
