import { z } from 'zod';
import { clientSchema } from './schema/client.ts';
import { providerSchema } from './schema/provider.ts';
import { serverSchema } from './schema/server.ts';

/** The part of JSON Schema (draft 7) that is read again here. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly writeOnly?: boolean;
}

const REFERENCE = { type: 'string', pattern: String.raw`^\$\{(env|file):.+\}$` };

/** Strings with a shape may also be written as a reference; an editor must not mark it as wrong. */
function allowReference(node: Record<string, unknown>): void {
  if (node.type !== 'string' || !(node.writeOnly || node.format === 'uri')) return;
  const own: Record<string, unknown> = {};
  for (const name of ['type', 'format', 'pattern', 'minLength', 'maxLength']) {
    if (name in node) own[name] = node[name];
    delete node[name];
  }
  node.anyOf = [REFERENCE, own];
}

function generate(schema: z.ZodType, title: string): JsonSchema {
  const generated = z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-7',
    override: ({ jsonSchema }) => allowReference(jsonSchema as Record<string, unknown>),
  });
  return { title, ...generated } as JsonSchema;
}

/** Draft 7, which is what the YAML plug-ins of editors know best. */
const DOCUMENTS = {
  server: () => generate(serverSchema, 'vestibule.yaml'),
  client: () => generate(clientSchema, 'clients/<client_id>.yaml'),
  provider: () => generate(providerSchema, 'providers/<id>.yaml'),
};

export type FileKind = keyof typeof DOCUMENTS;

const generated = new Map<FileKind, JsonSchema>();

/** The JSON Schema of one kind of file; generated when first asked for. */
export function jsonSchema(kind: FileKind): JsonSchema {
  const known = generated.get(kind) ?? DOCUMENTS[kind]();
  generated.set(kind, known);
  return known;
}

/** Every file of `config/schemas/` with its text: what `vestibule config schema` writes. */
export function jsonSchemaFiles(): ReadonlyMap<string, string> {
  const text = (kind: FileKind) => `${JSON.stringify(jsonSchema(kind), null, 2)}\n`;
  return new Map([
    ['vestibule.schema.json', text('server')],
    ['client.schema.json', text('client')],
    ['provider.schema.json', text('provider')],
  ]);
}

const alternatives = (node: JsonSchema): JsonSchema[] => [
  node,
  ...(node.anyOf ?? []).flatMap(alternatives),
  ...(node.oneOf ?? []).flatMap(alternatives),
];

/** @returns the nodes that describe a place, one per alternative; empty where nothing is known */
export function nodesAt(root: JsonSchema, path: readonly (string | number)[]): JsonSchema[] {
  let nodes = alternatives(root);
  for (const step of path) {
    nodes = nodes.flatMap((node) => {
      const named =
        typeof step === 'string' && Object.hasOwn(node.properties ?? {}, step) ? node.properties?.[step] : undefined;
      const next = named ?? (typeof step === 'number' ? node.items : node.additionalProperties);
      return typeof next === 'object' ? alternatives(next) : [];
    });
  }
  return nodes;
}

/** @returns the names a mapping may hold; empty where any name will do */
export function knownNames(nodes: readonly JsonSchema[]): string[] {
  const names = nodes.flatMap((node) => [
    ...Object.keys(node.properties ?? {}),
    ...(node.propertyNames?.enum ?? []).map(String),
  ]);
  return [...new Set(names)];
}

/** @returns where else in the file a name is known: `vestibule.first_party` for `first_party` */
export function placesOf(root: JsonSchema, name: string, prefix: readonly string[] = []): string[][] {
  return alternatives(root).flatMap((node) =>
    Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
      ...(key === name ? [[...prefix, key]] : []),
      ...placesOf(child, name, [...prefix, key]),
    ]),
  );
}
