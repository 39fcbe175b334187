import type { Theme } from '../../config/schema/server.ts';
import { CONTROL_CONTRAST, contrast, lightness, nearest, TEXT_CONTRAST, textOn, withLightness } from './contrast.ts';

/** The grounds that style.css gives cards, and boxes on them; a test holds the two files together. */
export const SURFACE = { light: '#ffffff', dark: '#1a1d24' } as const;
export const SHADE = { light: '#f4f6f8', dark: '#232730' } as const;

const DEFAULTS = { accent: '#1f4d8c', background: '#f2f4f7', radius: 'medium' } as const;
const DARK_BACKGROUND = '#0f1116';
const INK = '#14171d';
const RADIUS = { none: '0', small: '0.25rem', medium: '0.5rem', large: '1rem' } as const;

export type Mode = keyof typeof SURFACE;

/** A colour of the theme that could not be used as it was. */
export interface Adjustment {
  readonly setting: 'accent' | 'background';
  readonly mode: Mode;
  readonly asked: string;
  readonly used: string;
}

type Palette = Readonly<Record<string, string>>;

/**
 * A theme's own stylesheet: custom properties, and nothing else, so that every portal looks
 * cared for. Contrast is computed for light and dark apart; a colour that fails is moved to the
 * nearest shade that passes and reported, never refused.
 */
export function themeStylesheet(theme: Theme): { css: string; adjustments: readonly Adjustment[] } {
  const asked = { accent: theme.accent ?? DEFAULTS.accent, background: theme.background ?? DEFAULTS.background };
  const light = palette('light', asked.accent, legibleGround(asked.background));
  const dark = palette('dark', asked.accent, DARK_BACKGROUND);

  const adjustments: Adjustment[] = [];
  const compare = (setting: Adjustment['setting'], mode: Mode, used: string | undefined): void => {
    if (theme[setting] && used && used !== theme[setting].toLowerCase()) {
      adjustments.push({ setting, mode, asked: theme[setting], used });
    }
  };
  compare('accent', 'light', light.accent);
  compare('accent', 'dark', dark.accent);
  compare('background', 'light', light.background);

  const css =
    `:root{--radius:${RADIUS[theme.radius ?? DEFAULTS.radius]};${declarations(light)}}\n` +
    `@media (prefers-color-scheme:dark){:root{${declarations(dark)}}}\n`;
  return { css, adjustments };
}

/** Text in black or white can be read on it. */
const legibleGround = (colour: string): string =>
  nearest(colour.toLowerCase(), (candidate) => contrast(textOn(candidate), candidate) >= TEXT_CONTRAST);

function palette(mode: Mode, askedAccent: string, background: string): Palette {
  const surface = SURFACE[mode];
  // In light mode a pale accent (a yellow, say) keeps its colour and gets a darker edge instead;
  // a dark one on a dark surface would need a pale edge, which looks switched off: it is lightened.
  const accent = nearest(askedAccent.toLowerCase(), (candidate) => {
    const seen = mode === 'light' || contrast(candidate, surface) >= CONTROL_CONTRAST;
    return seen && contrast(textOn(candidate), candidate) >= TEXT_CONTRAST;
  });
  const text = textOn(accent);
  return {
    accent,
    'on-accent': text,
    // Under the pointer: away from the text's colour, so that the contrast only grows.
    'accent-hover': withLightness(accent, lightness(accent) + (text === '#ffffff' ? -6 : 6)),
    'accent-edge': nearest(accent, (candidate) => contrast(candidate, surface) >= CONTROL_CONTRAST),
    link: nearest(accent, (candidate) =>
      [surface, SHADE[mode]].every((ground) => contrast(candidate, ground) >= TEXT_CONTRAST),
    ),
    background,
    'on-background': contrast(INK, background) >= TEXT_CONTRAST ? INK : textOn(background),
  };
}

const declarations = (palette: Palette): string =>
  Object.entries(palette)
    .map(([name, value]) => `--${name}:${value}`)
    .join(';');
