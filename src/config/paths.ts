/** Where a setting stands inside one file: keys of mappings and positions in lists. */
export type Path = readonly (string | number)[];

/** `redirect_uris[0]`, `resource_servers["https://api.example.org"].clients[1]`; the whole file is ``. */
export function pathText(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w$-]+$/.test(step)) text += text ? `.${step}` : step;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** @returns the value at that place, or undefined where there is none */
export function valueAt(tree: unknown, path: Path): unknown {
  let value = tree;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

export const startsWith = (path: Path, start: Path): boolean => start.every((step, index) => path[index] === step);

/** @returns whether one of the two lies within the other */
export const touches = (a: Path, b: Path): boolean => startsWith(a, b) || startsWith(b, a);
