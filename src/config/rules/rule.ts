import { isLoopbackAddress } from '../loopback.ts';
import { type Path, startsWith, valueAt } from '../paths.ts';
import type { ServerSettings } from '../schema/server.ts';
import type { Source } from '../source.ts';
import type { Validated } from '../validate.ts';

/** What a rule has to say about one place of the file it looks at. */
export interface Finding {
  readonly path: Path;
  /** A full sentence that says what is wrong and what to do. It quotes no value. */
  readonly message: string;
  readonly warning?: true;
}

/** A rule between settings, beyond what the schema of one setting can say. */
export interface Rule<Subject> {
  /**
   * Settings it looks at, dotted. It is left out while one of them has a problem of its own.
   * A name with `[]` behind it: the items are looked at one by one, so damaged ones don't matter.
   */
  readonly reads: readonly string[];
  /** The same for settings of `vestibule.yaml`, for rules about client files. Without a name here, a
   *  rule must not look at the server's settings: they may be stand-ins. */
  readonly readsServer?: readonly string[];
  check(subject: Subject): Iterable<Finding>;
}

/** What a rule about `vestibule.yaml` sees. */
export interface ServerSubject {
  readonly settings: ServerSettings;
  readonly clientIds: ReadonlySet<string>;
  isLiteral(path: Path): boolean;
}

/** @returns whether the section `development` takes effect: only for http on a loopback host */
export const isDevelopment = ({ issuer, development }: ServerSettings): boolean =>
  development !== undefined && issuer.startsWith('http:') && isLoopbackAddress(issuer);

const dotted = (name: string): Path => name.split('.');

function isDamaged(source: Source, name: string): boolean {
  if (!name.endsWith('[]')) return source.isDamaged(dotted(name));
  const list = dotted(name.slice(0, -2));
  return source.tree === undefined || source.damaged.some((place) => startsWith(list, place));
}

/** Runs every rule whose settings are sound, and records what it finds in the source. */
export function applyRules<Subject>(
  rules: readonly Rule<Subject>[],
  subject: Subject,
  source: Source,
  { placeInFile }: Pick<Validated<unknown>, 'placeInFile'>,
  server?: Source,
): void {
  for (const rule of rules) {
    const { reads, readsServer = [] } = rule;
    if (reads.some((name) => isDamaged(source, name))) continue;
    if (readsServer.some((name) => !server || isDamaged(server, name))) continue;
    for (const { path, message, warning } of rule.check(subject)) {
      const place = placeInFile(path);
      if (warning) source.warn(place, message);
      else source.object(place, message, { hide: typeof valueAt(source.tree, place) === 'object' });
    }
  }
}
