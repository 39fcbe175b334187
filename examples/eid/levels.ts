/** Levels of assurance (Regulation (EU) 910/2014, Article 8), lowest first. */
export const LEVELS = ['low', 'substantial', 'high'] as const;

export type Level = (typeof LEVELS)[number];

const PREFIX = 'http://eidas.europa.eu/LoA/';

export const acrOf = (level: Level): string => PREFIX + level;
export const levelNamed = (name: unknown): Level | undefined => LEVELS.find((level) => level === name);
export const meets = (reached: Level, wanted: Level): boolean => LEVELS.indexOf(reached) >= LEVELS.indexOf(wanted);

/** How each level is reached, as an ID token says it (RFC 8176). */
export const AMR: Readonly<Record<Level, readonly string[]>> = {
  low: ['pwd'],
  substantial: ['mfa', 'swk', 'pin'],
  high: ['mfa', 'hwk', 'pin'],
};

/** What a request says about assurance. */
export interface Wish {
  /** The lowest level named, as any one named will do; undefined when it names none of ours. */
  readonly least?: Level;
  /** Without it nothing is told (OpenID Connect Core §5.5.1.1); a mere wish is answered by what was reached. */
  readonly essential: boolean;
}

/** @param parameters of the authorization request: `acr_values`, or `claims` with an `acr` in the ID token */
export function wishOf({ acr_values, claims }: Readonly<Record<string, unknown>>): Wish {
  const acr = acrRequest(claims);
  const named = [...words(acr_values), ...[acr?.value ?? acr?.values ?? []].flat()];
  const least = LEVELS.find((level) => named.includes(acrOf(level)));
  const essential = acr?.essential === true && (acr.value !== undefined || acr.values !== undefined);
  return { essential, ...(least ? { least } : {}) };
}

/** Whether a sign-in at this level may be told to who asked. */
export const suffices = (reached: Level, { least, essential }: Wish): boolean =>
  !essential || (least !== undefined && meets(reached, least));

interface AcrRequest {
  readonly essential?: unknown;
  readonly value?: unknown;
  readonly values?: unknown;
}

const words = (text: unknown): readonly string[] => (typeof text === 'string' ? text.split(' ') : []);

/** The library checked its form before the request came here. */
function acrRequest(claims: unknown): AcrRequest | undefined {
  if (typeof claims !== 'string') return undefined;
  const { id_token } = JSON.parse(claims) as { id_token?: { acr?: AcrRequest | null } };
  return id_token?.acr ?? undefined;
}
