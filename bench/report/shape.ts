import type { External } from '../figures/external.ts';
import type { KeysUnderLoad } from '../figures/external-jwks.ts';
import type { Flood } from '../figures/flood.ts';
import type { NameTimes } from '../figures/names.ts';
import type { Outbox } from '../figures/outbox.ts';
import type { Weight } from '../figures/page.ts';
import type { FlowFigures, Measured } from '../figures/samples.ts';
import type { SharedStorage } from '../figures/shared-storage.ts';
import type { Storm } from '../figures/storm.ts';
import type { SubjectId } from '../servers/subject.ts';

export interface ServerFigures {
  readonly flows: Readonly<Partial<Record<Measured, FlowFigures>>>;
  /** Start → first 200 of discovery, and the CPU time until then. */
  readonly startMs: number;
  readonly startCpuMs: number;
  readonly idleRssBytes: number;
  /** After a round's load. */
  readonly loadedRssBytes: number | undefined;
}

/** Vestibule against another server: medians of what was measured one after the other. */
export interface Ratios {
  readonly flows: Readonly<Partial<Record<Measured, number>>>;
  readonly start: number | undefined;
  readonly startCpu: number | undefined;
  readonly idleRss: number | undefined;
  readonly loadedRss: number | undefined;
}

export interface Results {
  readonly date: string;
  readonly machine: {
    readonly cores: number;
    readonly node: string;
    readonly platform: string;
    /** Load average before the bench began: above a few tenths, others were working, too. */
    readonly loadBefore: number;
  };
  readonly mode: 'full' | 'quick' | 'partial';
  readonly rounds: number;
  readonly clients: number;
  /** CPU milliseconds of one password hash, alone. */
  readonly hashCpuMs: number;
  /** CPU milliseconds of one passkey's assertion, checked and written down. */
  readonly assertionCpuMs: number | undefined;
  /** CPU milliseconds of one six-digit code, storage apart. */
  readonly codeCpuMs: number | undefined;
  readonly outbox: Outbox | undefined;
  readonly names: NameTimes | undefined;
  readonly storm: Storm | undefined;
  readonly external: External | undefined;
  readonly externalJwks: KeysUnderLoad | undefined;
  readonly sharedStorage: SharedStorage | undefined;
  readonly servers: Readonly<Partial<Record<SubjectId, ServerFigures>>>;
  readonly ratios: Readonly<Partial<Record<SubjectId, Ratios>>>;
  readonly flood: Flood | undefined;
  readonly firstPage: Weight | undefined;
  readonly targets: readonly Verdict[];
}

export interface Verdict {
  readonly figure: string;
  readonly value: number;
  readonly limit: number;
  readonly unit: string;
  readonly reached: boolean;
}
