import type { CreateIndexesOptions, Db, Document } from 'mongodb';

/** Changes the database from one version to the next. May be run again when it was cut short. */
export type Migration = (db: Db) => Promise<void>;

export interface Index
  extends Pick<CreateIndexesOptions, 'unique' | 'sparse' | 'partialFilterExpression' | 'expireAfterSeconds'> {
  readonly name: string;
  readonly key: Readonly<Record<string, 1 | -1>>;
}

export interface CollectionSchema {
  readonly name: string;
  readonly indexes: readonly Index[];
  /** JSON Schema in MongoDB's dialect; documents that don't match are refused. */
  readonly validator?: Document;
}

const NAMESPACE_EXISTS = 48;

/** Makes the collection what the schema says: once, or again. */
export async function prepare(db: Db, { name, indexes, validator }: CollectionSchema): Promise<void> {
  try {
    await db.createCollection(name);
  } catch (error) {
    if ((error as { code?: unknown }).code !== NAMESPACE_EXISTS) throw error;
  }
  if (validator) {
    const strictly = { validationLevel: 'strict', validationAction: 'error' };
    await db.command({ collMod: name, validator: { $jsonSchema: validator }, ...strictly });
  }
  if (indexes.length > 0) await db.collection(name).createIndexes(indexes.map((index) => ({ ...index })));
}
