import jsqr from 'jsqr';
import type { Page } from 'playwright-core';

/** Brightness of every pixel of a picture, one character each: a string travels faster than a list of numbers. */
const PIXELS = `async (address) => {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  const { naturalWidth: width, naturalHeight: height } = picture;
  const canvas = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d');
  canvas.drawImage(picture, 0, 0);
  const { data } = canvas.getImageData(0, 0, width, height);
  return { width, height, bright: Array.from({ length: width * height }, (_, n) => String.fromCharCode(data[n * 4])).join('') };
}`;

/**
 * What a camera reads off the page: from a screenshot, so size, margin and colours count. Many apps
 * read dark on light only, and so does this.
 */
export async function readQrCode(page: Page): Promise<string | undefined> {
  const picture = await page.locator('svg.qr').screenshot();
  // A page of its own to decode the picture in: Vestibule's own allow no such thing.
  const decoder = await page.context().newPage();
  const { width, height, bright } = (await decoder.evaluate(
    `(${PIXELS})('data:image/png;base64,${picture.toString('base64')}')`,
  )) as { width: number; height: number; bright: string };
  await decoder.close();
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let n = 0; n < bright.length; n += 1) pixels.fill(bright.charCodeAt(n), n * 4, n * 4 + 3);
  return jsqr.default(pixels, width, height, { inversionAttempts: 'dontInvert' })?.data;
}
