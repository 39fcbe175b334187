import { encode } from 'uqr';

/** A QR code as one SVG path, a module one unit wide. */
export interface QrCode {
  /** Width and height, quiet zone included. */
  readonly size: number;
  /** Path data of the dark modules. */
  readonly path: string;
}

/** Modules of light ground on each side, without which scanners don't find the code (ISO/IEC 18004). */
const QUIET_ZONE = 4;

/** One path, and no markup: the content security policy allows no styles, and templates escape values. */
export function drawQrCode(text: string): QrCode {
  const { data, size } = encode(text, { ecc: 'M', border: QUIET_ZONE });
  return { size, path: data.map(rowPath).join('') };
}

/** Runs of dark modules, so that no seams show between neighbours. */
function rowPath(modules: readonly boolean[], y: number): string {
  const starts = modules.flatMap((dark, x) => (dark && !modules[x - 1] ? [x] : []));
  return starts
    .map((x) => {
      const end = modules.indexOf(false, x);
      const length = (end === -1 ? modules.length : end) - x;
      return `M${x} ${y}h${length}v1h-${length}z`;
    })
    .join('');
}
