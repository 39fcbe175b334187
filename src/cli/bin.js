#!/usr/bin/env node
// Plain JavaScript: it must run before types can be stripped, and say so where they can't be.
import module from 'node:module';
import { join } from 'node:path';

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `Vestibule needs Node 24; this is ${process.version}. \`npx vestibule\` and \`npm start\` bring it.\n`,
  );
  process.exitCode = 1;
} else {
  // Compiled code (types stripped) is kept beside the packages: later starts skip the compiler,
  // which halves their time and saves 20 MB. Where the folder can't be written, nothing is lost.
  module.enableCompileCache(join(import.meta.dirname, '../../node_modules/.cache/vestibule'));
  await import('./vestibule.ts');
}
