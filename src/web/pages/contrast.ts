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

/** Moves `colour` towards black or white; `share` 0 leaves it, 1 arrives. */
export function mix(colour: string, towards: '#000000' | '#ffffff', share: number): string {
  const target = parse(towards)[0];
  const mixed = parse(colour).map((channel) => Math.round(channel + (target - channel) * share));
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

/** Black or white, whichever is easier to read on `ground`. */
export const textOn = (ground: string): '#000000' | '#ffffff' =>
  contrast('#ffffff', ground) >= contrast('#000000', ground) ? '#ffffff' : '#000000';

/**
 * The colour nearest to `colour`, darker or lighter, that passes; darker first when both are as near.
 * Black and white must not both fail.
 */
export function nearest(colour: string, passes: (candidate: string) => boolean): string {
  for (let step = 0; step <= 100; step++) {
    for (const towards of ['#000000', '#ffffff'] as const) {
      const candidate = mix(colour, towards, step / 100);
      if (passes(candidate)) return candidate;
    }
  }
  throw new Error(`no shade of ${colour} passes`);
}
