/** A day as `<time>` shows it: for programs, and as the language writes it. */
export interface Day {
  readonly iso: string;
  readonly text: string;
}

/** @param seconds since the epoch */
export function formatDay(seconds: number, locale: string): Day {
  const date = new Date(seconds * 1000);
  return { iso: date.toISOString(), text: new Intl.DateTimeFormat(locale, { dateStyle: 'long' }).format(date) };
}
