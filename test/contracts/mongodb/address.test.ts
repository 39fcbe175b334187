import { describe, expect, test } from '@jest/globals';
import { openingClient, servingClient } from '../../../src/storage/mongodb/connect.ts';
import { settingsOf } from './mongodb.ts';

const clients = Object.entries({ servingClient, openingClient });

describe.each(clients)('an address of MongoDB (%s)', (_name, clientOf) => {
  const optionsWith = (query: string) =>
    clientOf(settingsOf(`mongodb://user:a-password@127.0.0.1:1/?${query}`, 'vestibule')).options;

  test.each(['', 'w=1', 'retryWrites=false&w=majority', 'readPreference=secondary', 'journal=true', 'wtimeoutMS=5'])(
    'with %p: writes are kept by a majority, on disk, and reads give nothing that could be undone',
    (query) => {
      expect(optionsWith(query)).toMatchObject({
        writeConcern: { w: 'majority', journal: true },
        readConcern: { level: 'majority' },
        readPreference: { mode: 'primary' },
        retryWrites: true,
      });
    },
  );

  test.each([
    ['readConcernLevel=local', 'readConcernLevel'],
    ['journal=false', 'journal'],
    ['w=1&j=false', 'journal'],
    ['fsync=false', 'journal'],
  ])('with %p is refused, and the password not told', (query, named) => {
    expect(() => optionsWith(query)).toThrow(new RegExp(`changes how data is read and written \\(${named}\\)`));
    expect(() => optionsWith(query)).not.toThrow(/a-password/);
  });
});
