/**
 * A waiting time in words, rounded up: "30 seconds", "5 minutes", "2 hours". `Intl` knows each
 * language's plural forms. It reads well after "in", "dans", "over", "in" and "tra".
 */
export function formatWait(seconds: number, locale: string): string {
  const whole = Math.max(1, Math.ceil(seconds));
  const [value, unit] =
    whole <= 90
      ? [whole, 'second']
      : whole <= 5400
        ? [Math.ceil(whole / 60), 'minute']
        : [Math.ceil(whole / 3600), 'hour'];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(value);
}

/** "name, e-mail address and language". */
export const formatList = (items: readonly string[], locale: string): string =>
  new Intl.ListFormat(locale, { style: 'long', type: 'conjunction' }).format(items);
