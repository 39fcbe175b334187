import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { contrast, lightness, luminance, nearest, textOn, withLightness } from '../../../src/web/pages/contrast.ts';
import { BUILT_IN_VIEWS } from '../../../src/web/pages/templates.ts';
import { SHADE, SURFACE, themeStylesheet } from '../../../src/web/pages/theme.ts';

describe('contrast', () => {
  // Reference figures of WCAG 2.2's own definition, as the common checkers show them.
  test.each([
    ['#000000', '#ffffff', 21],
    ['#ffffff', '#ffffff', 1],
    ['#777777', '#ffffff', 4.48],
    ['#767676', '#ffffff', 4.54],
    ['#0000ff', '#ffffff', 8.59],
    ['#ff0000', '#000000', 5.25],
    ['#ffcc00', '#ffffff', 1.52],
    ['#FFCC00', '#000000', 13.84],
  ])('%s on %s is %d', (one, other, expected) => {
    expect(contrast(one, other)).toBeCloseTo(expected, 1);
    expect(contrast(other, one)).toBe(contrast(one, other));
  });

  test('luminance runs from 0 to 1', () => {
    expect(luminance('#000000')).toBe(0);
    expect(luminance('#ffffff')).toBeCloseTo(1, 10);
  });

  test.each([
    ['#ffffff', '#000000'],
    ['#ffcc00', '#000000'],
    ['#1f4d8c', '#ffffff'],
  ])('on %s one reads %s best', (ground, text) => {
    expect(textOn(ground)).toBe(text);
  });

  test.each(['#000000', '#ffffff', '#808080', '#ff0000', '#00ff00', '#0000ff', '#ff00ff', '#1f4d8c'])(
    '%s at its own lightness is itself',
    (colour) => {
      expect(withLightness(colour, lightness(colour))).toBe(colour);
    },
  );

  test('the nearest shade keeps a colour that passes and gives up rather than fail', () => {
    expect(nearest('#0b6e99', () => true)).toBe('#0b6e99');
    expect(nearest('#808080', (candidate) => contrast(candidate, '#ffffff') >= 21)).toBe('#000000');
    expect(() => nearest('#808080', () => false)).toThrow('no shade');
  });
});

type Tokens = Readonly<Record<string, string>>;

/** The custom properties of a stylesheet, light and dark apart. */
function tokens(css: string): { light: Tokens; dark: Tokens } {
  const [plain = '', ...rest] = css.split(/@media \(prefers-color-scheme:\s*dark\)/);
  const read = (text: string): Tokens =>
    Object.fromEntries([...text.matchAll(/--([a-z-]+):\s*([^;}]+)/g)].map(([, name, value]) => [name, value]));
  const light = read(plain.slice(0, plain.indexOf('}')));
  return { light, dark: { ...light, ...read((rest[0] ?? '').slice(0, (rest[0] ?? '').indexOf('}'))) } };
}

const ownStyle = tokens(readFileSync(join(BUILT_IN_VIEWS, 'assets/style.css'), 'utf8'));

const ACCENTS = ['#000000', '#ffffff', '#ffcc00', '#0b6e99', '#c8102e', '#00ff00', '#808080', '#10069f', '#ff00aa'];
const THEMES = [
  {},
  ...ACCENTS.map((accent) => ({ accent })),
  ...ACCENTS.map((background) => ({ background, accent: background })),
];

describe('colours of a page', () => {
  const modes = ['light', 'dark'] as const;

  test.each(modes)('the stylesheet and the themes agree on the grounds in %s', (mode) => {
    expect(ownStyle[mode].surface).toBe(SURFACE[mode]);
    expect(ownStyle[mode].shade).toBe(SHADE[mode]);
  });

  test.each(THEMES.flatMap((theme) => modes.map((mode) => ({ theme, mode }))))('$theme in $mode', ({ theme, mode }) => {
    const colours = { ...ownStyle[mode], ...tokens(themeStylesheet(theme).css)[mode] } as Record<string, string>;
    const between = (one: string, other: string) => contrast(colours[one] ?? '', colours[other] ?? '');
    const text: [string, string][] = [
      ['ink', 'surface'],
      ['ink', 'shade'],
      ['ink-quiet', 'surface'],
      ['ink-quiet', 'shade'],
      ['link', 'surface'],
      ['link', 'shade'],
      ['danger', 'danger-shade'],
      ['on-accent', 'accent'],
      ['on-accent', 'accent-hover'],
      ['on-background', 'background'],
    ];
    const controls: [string, string][] = [
      ['edge', 'surface'],
      ['danger', 'surface'],
      ['accent-edge', 'surface'],
    ];
    expect(text.filter(([one, other]) => between(one, other) < 7)).toEqual([]);
    expect(controls.filter(([one, other]) => between(one, other) < 3)).toEqual([]);
  });

  test('what had to be moved is told, what passes is left alone', () => {
    expect(themeStylesheet({}).adjustments).toEqual([]);
    expect(themeStylesheet({ accent: '#ffcc00' }).adjustments).toEqual([]);
    expect(themeStylesheet({ accent: '#0B6E99', background: '#777777' }).adjustments).toEqual([
      { setting: 'accent', mode: 'light', asked: '#0B6E99', used: expect.stringMatching(/^#/) },
      { setting: 'accent', mode: 'dark', asked: '#0B6E99', used: expect.stringMatching(/^#/) },
      { setting: 'background', mode: 'light', asked: '#777777', used: expect.stringMatching(/^#/) },
    ]);
  });

  test('roundness comes in four sizes', () => {
    expect(tokens(themeStylesheet({ radius: 'none' }).css).light.radius).toBe('0');
    expect(tokens(themeStylesheet({ radius: 'large' }).css).light.radius).toBe('1rem');
  });
});
