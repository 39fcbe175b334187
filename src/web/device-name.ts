import { platformOf } from '../credentials/index.ts';

/** Names that are the same in every language, by what a browser says of itself; the more particular ones first. */
const BROWSERS: readonly (readonly [sign: RegExp, name: string])[] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\b(OPR|OPiOS)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS|Chromium|HeadlessChrome)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];

/** @returns such as "Firefox, Windows"; a dash for a browser that says nothing we know. Never what it said itself */
export function deviceName(userAgent: string): string {
  const browser = BROWSERS.find(([sign]) => sign.test(userAgent.slice(0, 500)))?.[1];
  return [browser, platformOf(userAgent)].filter(Boolean).join(', ') || '–';
}
