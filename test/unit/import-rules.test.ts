import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const repository = resolve(import.meta.dirname, '../..');

/** One file each: what it imports, and the rule that refuses it. */
const REFUSED: readonly (readonly [file: string, imports: string, rule: string])[] = [
  ['src/kernel/upwards.ts', 'src/accounts/index.ts', 'kernel-imports-downwards-only'],
  ['src/storage/sqlite/domain.ts', 'src/accounts/index.ts', 'engines-know-ports-and-kernel-only'],
  ['src/storage/sqlite/other.ts', 'src/storage/mongodb/index.ts', 'engines-know-ports-and-kernel-only'],
  ['src/keys/upwards.ts', 'src/accounts/index.ts', 'keys-imports-downwards-only'],
  ['src/audit/upwards.ts', 'src/accounts/index.ts', 'notifications-audit-imports-downwards-only'],
  ['src/accounts/upwards.ts', 'src/credentials/index.ts', 'accounts-organisations-invitations-imports-downwards-only'],
  ['src/credentials/upwards.ts', 'src/journey/index.ts', 'credentials-federation-imports-downwards-only'],
  ['src/journey/upwards.ts', 'src/web/index.ts', 'oidc-journey-imports-downwards-only'],
  ['src/web/upwards.ts', 'src/main.ts', 'web-imports-downwards-only'],
  ['src/web/upwards-too.ts', 'src/cli/serve.ts', 'web-imports-downwards-only'],
  ['src/accounts/engine.ts', 'src/storage/sqlite/index.ts', 'engines-are-opened-by-the-registry-only'],
  ['src/cli/engine.ts', 'src/storage/sqlite/index.ts', 'engines-are-opened-by-the-registry-only'],
  ['src/accounts/registry.ts', 'src/storage/registry.ts', 'registry-is-for-main-and-cli'],
  ['src/storage/ports.ts', 'src/config/config.ts', 'ports-stand-alone'],
  ['src/journey/inner.ts', 'src/accounts/inner.ts', 'siblings-meet-through-index'],
  ['src/main.ts', 'src/accounts/inner.ts', 'main-enters-through-index'],
  ['src/credentials/totp/sibling.ts', 'src/credentials/password/index.ts', 'factors-do-not-know-each-other'],
  ['src/credentials/door.ts', 'src/credentials/password/hashes.ts', 'factors-meet-through-index'],
  ['src/config/domain.ts', 'src/accounts/index.ts', 'config-imports-kernel-only'],
  ['src/i18n/domain.ts', 'src/accounts/index.ts', 'i18n-imports-config-and-kernel-only'],
  ['src/journey/words.ts', 'src/i18n/index.ts', 'texts-are-for-web-and-notifications'],
  ['src/journey/http.ts', 'koa', 'koa-stays-at-the-edge'],
  ['src/accounts/http.ts', '@koa/router', 'koa-stays-at-the-edge'],
  ['src/web/protocol.ts', 'oidc-provider', 'protocol-library-is-for-oidc'],
  ['src/oidc/internals.ts', 'oidc-provider/lib/helpers/errors.js', 'no-library-internals'],
  ['src/accounts/tested.ts', 'test/support/ports.ts', 'product-stands-alone'],
  ['src/accounts/demo.ts', 'examples/portal.ts', 'product-stands-alone'],
  ['src/accounts/development.ts', 'htmlparser2', 'no-development-packages'],
  ['src/accounts/uninvited.ts', 'keygrip', 'no-unlisted-packages'],
  ['src/accounts/missing.ts', 'src/accounts/nowhere.ts', 'not-to-unresolvable'],
  ['src/accounts/round.ts', 'src/accounts/trip.ts', 'no-circular'],
];

const ALLOWED: readonly (readonly [file: string, imports: string])[] = [
  ['src/main.ts', 'src/storage/registry.ts'],
  ['src/storage/registry.ts', 'src/storage/sqlite/index.ts'],
  ['src/storage/sqlite/index.ts', 'src/storage/ports.ts'],
  ['src/accounts/index.ts', 'src/storage/ports.ts'],
  ['src/credentials/password/factor.ts', 'src/credentials/factor.ts'],
  ['src/credentials/registry.ts', 'src/credentials/password/index.ts'],
  ['src/journey/steps/password.ts', 'src/config/config.ts'],
  ['src/journey/state.ts', 'src/oidc/index.ts'],
  ['src/web/pages.ts', 'src/i18n/index.ts'],
  ['src/web/app.ts', 'koa'],
  ['src/oidc/provider.ts', 'oidc-provider'],
  ['src/cli/demo.ts', 'examples/portal.ts'],
  ['src/storage/sqlite/engine.ts', 'node:sqlite'],
];

/** Files that exist only to be imported. */
const BYSTANDERS = [
  'src/accounts/inner.ts',
  'src/cli/serve.ts',
  'src/config/config.ts',
  'src/credentials/factor.ts',
  'src/credentials/index.ts',
  'src/credentials/password/hashes.ts',
  'src/credentials/password/index.ts',
  'src/i18n/index.ts',
  'src/journey/index.ts',
  'src/oidc/index.ts',
  'src/storage/mongodb/index.ts',
  'src/web/index.ts',
  'test/support/ports.ts',
  'examples/portal.ts',
];

interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
}

describe('import rules', () => {
  let folder: string;
  let violations: readonly Violation[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vestibule-imports-'));
    await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
    await copyFile(join(repository, 'package.json'), join(folder, 'package.json'));
    const files = new Map<string, string[]>(BYSTANDERS.map((file) => [file, []]));
    const add = (file: string, imports: string) => files.set(file, [...(files.get(file) ?? []), imports]);
    for (const [file, imports] of [...REFUSED, ...ALLOWED]) add(file, imports);
    add('src/accounts/trip.ts', 'src/accounts/round.ts');
    for (const [file, imports] of files) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), `${imports.map((target) => statement(file, target)).join('')}export {};\n`);
    }
    violations = await cruise(folder);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each(REFUSED)('%s may not import %s: %s', (file, imports, rule) => {
    const broken = violations.filter(({ from, to }) => from === file && reaches(file, to, imports));
    expect(broken.map((violation) => violation.rule.name)).toContain(rule);
  });

  test.each(ALLOWED)('%s may import %s', (file, imports) => {
    expect(violations.filter(({ from, to }) => from === file && reaches(file, to, imports))).toEqual([]);
  });
});

/** A type-only import counts like any other, so half of the statements are of that kind. */
function statement(file: string, target: string): string {
  if (!/^(src|test|examples)\//.test(target)) return `import '${target}';\n`;
  const path = relative(dirname(file), target);
  return `import type {} from '${path.startsWith('.') ? path : `./${path}`}';\n`;
}

function reaches(file: string, to: string, imports: string): boolean {
  const unresolved = resolve('/', dirname(file), to) === resolve('/', imports);
  return (
    to === imports || unresolved || to.includes(`/node_modules/${imports}`) || to.startsWith(`node_modules/${imports}`)
  );
}

async function cruise(directory: string): Promise<readonly Violation[]> {
  const tool = join(repository, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const rules = join(repository, '.dependency-cruiser.cjs');
  // The tool exits with the number of violations; its report is what counts here.
  const report = await new Promise<string>((done) => {
    execFile(
      process.execPath,
      [tool, '--config', rules, '--output-type', 'json', 'src'],
      { cwd: directory, maxBuffer: 64 * 1024 * 1024 },
      (_error, stdout) => done(stdout),
    );
  });
  return (JSON.parse(report) as { summary: { violations: Violation[] } }).summary.violations;
}
