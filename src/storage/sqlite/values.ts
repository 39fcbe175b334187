import { texts } from '../values.ts';

/** A list of strings, as JSON text: one parameter whatever its length (`json_each`). */
export const jsonTexts = (name: string, values: unknown): string => JSON.stringify(texts(name, values));
