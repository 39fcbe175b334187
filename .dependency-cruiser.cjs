/**
 * Who may import whom (see src/README.md). Read LAYERS from top to bottom: a folder may import
 * what stands in its own line (through index.ts) or further down, never up.
 */
const LAYERS = [
  ['main', 'cli'],
  ['web'],
  ['oidc', 'journey'],
  ['recovery'],
  ['credentials', 'federation'],
  ['accounts', 'organisations', 'invitations'],
  ['notifications', 'audit'],
  ['keys'],
  ['storage'],
  ['kernel'],
];

/** What other folders may import besides an index.ts. */
const OPEN_DOORS = [
  '^src/[^/]+/index\\.ts$',
  '^src/kernel/',
  '^src/storage/(ports|registry)\\.ts$',
  '^src/config/config\\.ts$',
  '^src/config/schema/',
];

/** `main` is the file src/main.ts; every other name is a folder. */
const inside = (names) => `^src/(${names.map((name) => (name === 'main' ? 'main\\.ts$' : `${name}/`)).join('|')})`;

const layering = LAYERS.slice(1).map((names, below) => ({
  name: `${names.join('-')}-imports-downwards-only`,
  comment: 'main, cli → web → oidc, journey → … → kernel: a lower layer never knows a higher one',
  severity: 'error',
  from: { path: inside(names) },
  to: { path: inside(LAYERS.slice(0, below + 1).flat()) },
}));

const forbidden = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...layering,
    forbidden(
      'no-circular',
      'Two files that need each other are one file, or lack a third',
      {},
      { circular: true, viaOnly: { pathNot: 'node_modules' } },
    ),
    forbidden(
      'siblings-meet-through-index',
      'What index.ts does not export is nobody else’s business',
      { path: '^src/([^/]+)/' },
      { path: '^src/[^/]+/', pathNot: ['^src/$1/', ...OPEN_DOORS] },
    ),
    forbidden(
      'main-enters-through-index',
      'The composition root, too, uses the front door',
      { path: '^src/main\\.ts$' },
      { path: '^src/[^/]+/', pathNot: OPEN_DOORS },
    ),
    forbidden(
      'factors-do-not-know-each-other',
      'A factor is a folder; only credentials/registry.ts lists them',
      { path: '^src/credentials/([^/]+)/' },
      { path: '^src/credentials/[^/]+/', pathNot: '^src/credentials/$1/' },
    ),
    forbidden(
      'factors-meet-through-index',
      'credentials/ uses a factor by its front door',
      { path: '^src/credentials/[^/]+\\.ts$' },
      { path: '^src/credentials/[^/]+/', pathNot: '^src/credentials/[^/]+/index\\.ts$' },
    ),
    forbidden(
      'engines-know-ports-and-kernel-only',
      'An engine is a folder, and knows nothing of the domain; what engines share is a few small files',
      { path: '^src/storage/([^/]+)/' },
      {
        path: '^src/',
        pathNot: ['^src/storage/$1/', '^src/storage/(ports|failure|values|records)\\.ts$', '^src/kernel/'],
      },
    ),
    forbidden(
      'engines-are-opened-by-the-registry-only',
      'No code may depend on which engine is configured',
      { path: '^src/', pathNot: ['^src/storage/registry\\.ts$', '^src/storage/([^/]+)/'] },
      { path: '^src/storage/[^/]+/' },
    ),
    forbidden(
      'registry-is-for-main-and-cli',
      'The domain is handed its stores',
      { path: '^src/', pathNot: '^src/(main\\.ts$|cli/)' },
      { path: '^src/storage/registry\\.ts$' },
    ),
    forbidden(
      'ports-stand-alone',
      'The ports describe what the domain needs, in their own words',
      { path: '^src/storage/ports\\.ts$' },
      { path: '^src/', pathNot: '^src/kernel/' },
    ),
    forbidden(
      'kernel-knows-nobody',
      'The kernel knows nothing of the domain',
      { path: '^src/kernel/' },
      { path: '^src/', pathNot: '^src/kernel/' },
    ),
    forbidden(
      'config-imports-kernel-only',
      'Everybody may read the configuration, so it can’t read anybody',
      { path: '^src/config/' },
      { path: '^src/', pathNot: '^src/(config|kernel)/' },
    ),
    forbidden(
      'i18n-imports-config-and-kernel-only',
      'Texts know no domain',
      { path: '^src/i18n/' },
      { path: '^src/', pathNot: '^src/(i18n|config|kernel)/' },
    ),
    forbidden(
      'texts-are-for-web-and-notifications',
      'The domain speaks in codes; only what people read is worded',
      { path: '^src/', pathNot: '^src/(i18n|web|notifications|cli)/|^src/main\\.ts$' },
      { path: '^src/i18n/' },
    ),
    forbidden(
      'koa-stays-at-the-edge',
      'Handlers are thin; the domain knows no HTTP framework',
      { path: '^src/', pathNot: '^src/(web|oidc)/|^src/main\\.ts$' },
      { path: '(^|/)node_modules/(@types/)?(koa|@koa/router|koa-helmet|koa__router|helmet)/' },
    ),
    forbidden(
      'protocol-library-is-for-oidc',
      'One folder knows the protocol library, so one folder changes with it',
      { path: '^src/', pathNot: '^src/oidc/' },
      { path: '(^|/)node_modules/(@types/)?oidc-provider/' },
    ),
    forbidden(
      'no-library-internals',
      'Reaching into a library breaks with its next patch release',
      { path: '^src/' },
      { path: '(^|/)node_modules/(oidc-provider/lib/(?!index\\.js$)|koa/lib/(?!application\\.js$))' },
    ),
    forbidden(
      'product-stands-alone',
      'What ships imports neither tests nor benches nor examples; the demo alone starts the examples',
      { path: '^src/', pathNot: '^src/cli/demo\\.ts$' },
      { path: '^(test|bench|examples)/' },
    ),
    forbidden(
      'demo-imports-no-tests',
      'The demo starts the examples and nothing else from outside src',
      { path: '^src/cli/demo\\.ts$' },
      { path: '^(test|bench)/' },
    ),
    forbidden(
      'no-development-packages',
      'What ships runs after npm ci --omit=dev',
      { path: '^src/', pathNot: '^src/cli/demo\\.ts$' },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm'] },
    ),
    forbidden(
      'no-unlisted-packages',
      'A package that came along with another may leave with it',
      {},
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    ),
    forbidden('not-to-unresolvable', 'It does not exist', {}, { couldNotResolve: true }),
  ],
  options: {
    // TypeScript 7 offers no programming interface; swc sees type-only imports as well.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
    // node:sqlite is younger than the list of core modules that comes with the tool.
    builtInModules: { add: ['node:sqlite'] },
  },
};
