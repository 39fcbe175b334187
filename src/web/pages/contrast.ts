/** Relative luminance and contrast as WCAG 2.2 defines them, and colours moved until they pass. */

/** Text on a ground: WCAG 1.4.6 (AAA). */
export const TEXT_CONTRAST = 7;
/** The edge of a control against its surroundings: WCAG 1.4.11. */
export const CONTROL_CONTRAST = 3;

type Channels = readonly [red: number, green: number, blue: number];

const parse = (colour: string): Channels => [
  Number.parseInt(colour.slice(1, 3), 16),
  Number.parseInt(colour.slice(3, 5), 16),
  Number.parseInt(colour.slice(5, 7), 16),
];

/** @param colour `#rrggbb` */
export function luminance(colour: string): number {
  const [red, green, blue] = parse(colour).map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as unknown as Channels;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @returns 1 (the same) to 21 (black and white) */
export function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** The same hue and saturation (HSL, CSS Color 4 §7) at another lightness, 0 to 100. */
export function withLightness(colour: string, lightness: number): string {
  const { hue, saturation } = hsl(colour);
  const l = Math.min(100, Math.max(0, lightness)) / 100;
  const reach = saturation * Math.min(l, 1 - l);
  const channel = (offset: number): string => {
    const k = (offset + hue / 30) % 12;
    const value = l - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(value * 255)
      .toString(16)
      .padStart(2, '0');
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}

/** 0 (black) to 100 (white), as HSL has it. */
export const lightness = (colour: string): number => hsl(colour).lightness;

function hsl(colour: string): { hue: number; saturation: number; lightness: number } {
  const [red, green, blue] = parse(colour).map((channel) => channel / 255) as unknown as Channels;
  const max = Math.max(red, green, blue);
  const span = max - Math.min(red, green, blue);
  const l = max - span / 2;
  const saturation = span === 0 ? 0 : span / (1 - Math.abs(2 * l - 1));
  const sector =
    span === 0
      ? 0
      : max === red
        ? (green - blue) / span + 6
        : max === green
          ? (blue - red) / span + 2
          : (red - green) / span + 4;
  return { hue: (sector * 60) % 360, saturation, lightness: l * 100 };
}

/** Black or white, whichever is easier to read on `ground`. */
export const textOn = (ground: string): '#000000' | '#ffffff' =>
  contrast('#ffffff', ground) >= contrast('#000000', ground) ? '#ffffff' : '#000000';

/**
 * The shade nearest to `colour`, darker or lighter, that passes; darker first when both are as near.
 * Black and white must not both fail.
 */
export function nearest(colour: string, passes: (candidate: string) => boolean): string {
  if (passes(colour)) return colour;
  const start = lightness(colour);
  for (let distance = 0.5; distance <= 100; distance += 0.5) {
    for (const candidate of [withLightness(colour, start - distance), withLightness(colour, start + distance)]) {
      if (passes(candidate)) return candidate;
    }
  }
  throw new Error(`no shade of ${colour} passes`);
}
