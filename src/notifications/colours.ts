const ACCENT = '#1f4d8c';

export interface ButtonColours {
  readonly ground: string;
  readonly text: '#000000' | '#ffffff';
}

/**
 * The operator's accent with black or white on it, whichever reads better: one of them always has
 * a contrast above 4.5 (WCAG 1.4.3). Mail programs know no custom properties, so that it can't be a theme.
 */
export function buttonColours(accent: string | undefined): ButtonColours {
  const ground = accent?.toLowerCase() ?? ACCENT;
  const own = luminance(ground) + 0.05;
  return { ground, text: 1.05 / own >= own / 0.05 ? '#ffffff' : '#000000' };
}

/** Relative luminance, WCAG 2.2. @param colour `#rrggbb` */
function luminance(colour: string): number {
  const channel = (from: number): number => {
    const value = Number.parseInt(colour.slice(from, from + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}
