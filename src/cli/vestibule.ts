import { type CommandEntry, runCommandLine } from './index.ts';

/** A command is a file in this folder and a line here. */
const COMMANDS: readonly CommandEntry[] = [
  { name: 'serve', load: async () => (await import('./serve.ts')).serve },
  { name: 'demo', load: async () => (await import('./demo.ts')).demo },
  { name: 'init', load: async () => (await import('./init.ts')).init },
  { name: 'config check', load: async () => (await import('./config-check.ts')).configCheck },
  { name: 'config schema', load: async () => (await import('./config-schema.ts')).configSchema },
  { name: 'keys list', load: async () => (await import('./keys-list.ts')).keysList },
  { name: 'keys rotate', load: async () => (await import('./keys-rotate.ts')).keysRotate },
  { name: 'people add', load: async () => (await import('./people-add.ts')).peopleAdd },
  {
    name: 'people reset-factors',
    load: async () => (await import('./people-reset-factors.ts')).peopleResetFactors,
  },
  { name: 'people unlock', load: async () => (await import('./people-unlock.ts')).peopleUnlock },
  { name: 'people set-email', load: async () => (await import('./people-set-email.ts')).peopleSetEmail },
  { name: 'storage migrate', load: async () => (await import('./storage-migrate.ts')).storageMigrate },
  { name: 'version', load: async () => (await import('./version.ts')).version },
];

/** Milliseconds for the last writes to leave before the process ends whatever is still open. */
const GRACE = 1000;

// node:sqlite calls itself experimental at every start: known, and noise among an operator's messages.
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') process.stderr.write(`${warning.name}: ${warning.message}\n`);
});

process.exitCode = await runCommandLine(COMMANDS, process.argv.slice(2), process);
setTimeout(() => process.exit(), GRACE).unref();
